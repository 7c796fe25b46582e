use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::Seconds;
use super::book::Book;

/// What is wrong, or what an order waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabels {
    /// One of a few words.
    pub kind: &'static str,
}

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
    pub(super) fn put_in(&self, book: &mut Book) {
        let m = self.clone();
        book.gauge("ordermill_audit_violations", "What is wrong now, by kind", m.violations);
        book.counter(
            "ordermill_audit_found_total",
            "What was found wrong since the start, by kind",
            m.found,
        );
        book.counter(
            "ordermill_audit_findings_dropped_total",
            "Orders for which there was no room",
            m.crowded_out,
        );
        book.gauge("ordermill_audit_pending", "Pending orders by what they wait for", m.pending);
        book.gauge(
            "ordermill_audit_unknown_charges",
            "Payments without a verdict",
            m.unknown_charges,
        );
        book.gauge("ordermill_audit_outbox_rows", "Rows of the outbox", m.outbox_rows);
        book.counter("ordermill_audit_orders_checked_total", "Orders looked at", m.orders_checked);
        book.gauge(
            "ordermill_audit_oldest_pending_seconds",
            "Age of the oldest pending order",
            m.oldest_pending,
        );
        book.gauge(
            "ordermill_audit_oldest_unknown_seconds",
            "Age of the oldest charge without a verdict",
            m.oldest_unknown,
        );
        book.gauge(
            "ordermill_audit_oldest_outbox_seconds",
            "Age of the oldest row of the outbox",
            m.oldest_outbox,
        );
        book.gauge(
            "ordermill_audit_round_timestamp_seconds",
            "When the last round was complete",
            m.round,
        );
        book.gauge(
            "ordermill_audit_full_walk_timestamp_seconds",
            "When the last walk over all was complete",
            m.full_walk,
        );
    }
}
