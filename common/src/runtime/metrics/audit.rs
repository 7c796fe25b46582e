use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// What is wrong, or what an order waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabels {
    /// One of a few words.
    pub kind: &'static str,
}

/// A gauge that holds seconds.
type Seconds = Gauge<f64, AtomicU64>;

/// What an auditor knows. Clones show the same ones.
#[derive(Clone, Debug, Default)]
pub struct AuditMetrics {
    /// What is wrong now, by kind.
    pub violations: Family<KindLabels, Gauge>,
    /// What was ever found wrong since the start, by kind.
    pub found: Family<KindLabels, Counter>,
    /// Suspicions and unfinished orders for which there was no room.
    pub crowded_out: Counter,
    /// Orders that are pending, by what they wait for.
    pub pending: Family<KindLabels, Gauge>,
    /// The age of the oldest of them.
    pub oldest_pending: Seconds,
    /// Payments without a verdict.
    pub unknown_charges: Gauge,
    /// How long ago the oldest of them was begun.
    pub oldest_unknown: Seconds,
    /// Rows of the outbox.
    pub outbox_rows: Gauge,
    /// How long the oldest of them has been waiting.
    pub oldest_outbox: Seconds,
    /// Orders looked at.
    pub orders_checked: Counter,
    /// When the last look at the young orders was complete; 0 before the first.
    pub round: Seconds,
    /// When the last walk over all orders was complete; 0 before the first.
    pub full_walk: Seconds,
}

impl AuditMetrics {
    pub(super) fn in_registry(registry: &mut Registry) -> AuditMetrics {
        let audit = AuditMetrics::default();
        let m = audit.clone();
        registry.register("violations", "What is wrong now, by kind", m.violations);
        registry.register("found", "What was found wrong since the start, by kind", m.found);
        registry.register("crowded_out", "Orders for which there was no room", m.crowded_out);
        registry.register("pending", "Pending orders by what they wait for", m.pending);
        registry.register("unknown_charges", "Payments without a verdict", m.unknown_charges);
        registry.register("outbox_rows", "Rows of the outbox", m.outbox_rows);
        registry.register("orders_checked", "Orders looked at", m.orders_checked);
        for (name, help, gauge) in [
            ("oldest_pending", "Age of the oldest pending order", m.oldest_pending),
            ("oldest_unknown", "Age of the oldest charge without a verdict", m.oldest_unknown),
            ("oldest_outbox", "Age of the oldest row of the outbox", m.oldest_outbox),
            ("round_timestamp", "When the last round was complete", m.round),
            ("full_walk_timestamp", "When the last walk over all was complete", m.full_walk),
        ] {
            registry.register_with_unit(name, help, Unit::Seconds, gauge);
        }
        audit
    }
}
