use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::book::Book;
use super::{OutcomeLabels, counters};

/// What log-collector knows of the entries it was sent.
#[derive(Clone, Debug)]
pub struct LogStoreMetrics {
    entries: Family<OutcomeLabels, Counter>,
    /// They are in the database.
    pub stored: Counter,
    /// They cannot be read, or the database refuses them.
    pub refused: Counter,
}

impl Default for LogStoreMetrics {
    fn default() -> Self {
        let (entries, entry) = counters();
        LogStoreMetrics { stored: entry("stored"), refused: entry("refused"), entries }
    }
}

impl LogStoreMetrics {
    pub(super) fn put_in(&self, book: &mut Book) {
        book.counter(
            "ordermill_log_entries_total",
            "Log entries by what became of them",
            self.entries.clone(),
        );
    }
}
