//! The numbers a process keeps about itself. Every name and label stands here and nowhere else,
//! so their number is bounded.

mod audit;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

pub use audit::{AuditMetrics, KindLabels};

/// Which station of the road.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StationLabels {
    /// Its verb.
    pub station: &'static str,
}

/// What became of something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ResultLabels {
    /// One of a few words.
    pub outcome: &'static str,
}

/// Why something was parked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ParkLabels {
    /// One of a few words, as in the dead letter's `x-reason` header.
    pub reason: &'static str,
}

/// Which connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RoleLabels {
    /// `publish`, `consume` or `logs`.
    pub role: &'static str,
}

type Histograms = Family<StationLabels, Histogram, fn() -> Histogram>;

/// All of them. Clones count into the same ones.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    batch_size: Histograms,
    batch_seconds: Histograms,
    /// Payment results by what they changed: `moved`, `repeated`, `contradicting`, `unknown`.
    pub results: Family<ResultLabels, Counter>,
    /// Gateway answers: `captured`, `declined`, `unknown`.
    pub charges: Family<ResultLabels, Counter>,
    /// Publishes by how they ended: `confirmed`, `returned`, `nacked`, `unknown`, `not_sent`.
    pub publishes: Family<ResultLabels, Counter>,
    /// Orders that a sweep found left behind in the outbox.
    pub swept: Counter,
    /// Requests of late orders that were put into the outbox again.
    pub asked_again: Counter,
    /// Looks at the queues for late orders, by what they found: `idle`, `waiting`, `away`.
    pub looks: Family<ResultLabels, Counter>,
    /// Messages sent to the delay ladder.
    pub retries: Counter,
    /// Messages sent to a dead-letter queue.
    pub parked: Family<ParkLabels, Counter>,
    /// Broker connections made, the first ones included.
    pub connects: Family<RoleLabels, Counter>,
    /// Lines for the log store: `sent`, `dropped`.
    pub log_lines_shipped: Family<ResultLabels, Counter>,
    /// Lines that came to the log store: `stored`, `refused`.
    pub log_entries: Family<ResultLabels, Counter>,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("ordermill");
        let batch_size = Histograms::new_with_constructor(size_histogram);
        let batch_seconds = Histograms::new_with_constructor(time_histogram);
        registry.register(
            "batch_size",
            "Items taken through a station together",
            batch_size.clone(),
        );
        registry.register_with_unit(
            "batch",
            "Time a batch took at a station",
            Unit::Seconds,
            batch_seconds.clone(),
        );
        let (results, charges, publishes) =
            (Family::default(), Family::default(), Family::default());
        registry.register("results", "Payment results by what they changed", results.clone());
        registry.register("charges", "Gateway calls by outcome", charges.clone());
        registry.register("publishes", "Published messages by how they ended", publishes.clone());
        let (swept, retries) = (Counter::default(), Counter::default());
        registry.register("swept", "Orders found left behind in the outbox", swept.clone());
        registry.register("retries", "Messages sent to the delay ladder", retries.clone());
        let (asked_again, looks) = (Counter::default(), Family::default());
        registry.register(
            "asked_again",
            "Requests of late orders put into the outbox again",
            asked_again.clone(),
        );
        registry.register("looks", "Looks at the queues for late orders", looks.clone());
        let (parked, connects) = (Family::default(), Family::default());
        registry.register("parked", "Messages sent to a dead-letter queue", parked.clone());
        registry.register("connects", "Broker connections made", connects.clone());
        let (log_lines_shipped, log_entries) = (Family::default(), Family::default());
        registry.register(
            "log_lines_shipped",
            "Lines for the log store",
            log_lines_shipped.clone(),
        );
        registry.register("log_entries", "Lines that came to the log store", log_entries.clone());
        let registry = Arc::new(registry);
        Metrics {
            registry,
            batch_size,
            batch_seconds,
            results,
            charges,
            publishes,
            swept,
            asked_again,
            looks,
            retries,
            parked,
            connects,
            log_lines_shipped,
            log_entries,
        }
    }

    /// For an auditor, who shows what he finds and nothing of the road.
    pub fn of_audit() -> (Metrics, AuditMetrics) {
        let mut registry = Registry::with_prefix("ordermill_audit");
        let audit = AuditMetrics::in_registry(&mut registry);
        (Metrics { registry: Arc::new(registry), ..Metrics::new() }, audit)
    }

    /// Notes one batch at a station.
    pub fn batch(&self, station: &'static str, size: usize, took: Duration) {
        let labels = StationLabels { station };
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.batch_size.get_or_create(&labels).observe(f64::from(size));
        self.batch_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// The Prometheus text format.
    ///
    /// # Errors
    /// Only if the text cannot be written to memory.
    pub fn render(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

fn size_histogram() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 2.0, 12))
}

fn time_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
}
