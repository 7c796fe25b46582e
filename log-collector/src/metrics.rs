//! Metrics of the log collector.

use telemetry::{counters_by, metrics};

metrics! {
    /// Metrics of the log store.
    pub(crate) struct LogStoreMetrics {
        /// Log entries received
        pub(crate) entries: EntryMetrics = "ordermill_log_entries_total",
    }
}

counters_by! {
    /// Log entries by outcome.
    pub(crate) struct EntryMetrics by "outcome" {
        /// The entry is in the database.
        stored = "stored",
        /// The entry is unreadable, or the database refused it.
        refused = "refused",
    }
}
