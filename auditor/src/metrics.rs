//! Metrics of the auditor.

use prometheus_client::encoding::EncodeLabelSet;
use telemetry::metrics;
use telemetry::metrics::{Counter, Family, Gauge, Seconds};

/// A kind of finding, or a reason to wait.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct KindLabels {
    pub(crate) kind: &'static str,
}

metrics! {
    /// Metrics of the audit.
    pub(crate) struct AuditMetrics {
        /// Current violations, in orders, by the kind that docs/operations.md describes
        pub(crate) violations: Family<KindLabels, Gauge> = "ordermill_audit_violations",
        /// Violations found since the start, in orders
        pub(crate) found: Family<KindLabels, Counter> = "ordermill_audit_found_total",
        /// Suspicions and unfinished orders past the bound of the auditor's memory
        pub(crate) dropped: Counter = "ordermill_audit_findings_dropped_total",
        /// Pending orders, by what they wait for: in_outbox, not_begun (requested), unknown_charge,
        /// not_settled
        pub(crate) pending: Family<KindLabels, Gauge> = "ordermill_audit_pending",
        /// Age of the oldest pending order
        pub(crate) oldest_pending: Seconds = "ordermill_audit_oldest_pending_seconds",
        /// Payments without a verdict
        pub(crate) unknown_charges: Gauge = "ordermill_audit_unknown_charges",
        /// Time since the oldest payment without a verdict was begun
        pub(crate) oldest_unknown: Seconds = "ordermill_audit_oldest_unknown_seconds",
        /// Rows of the outbox, up to the counting limit
        pub(crate) outbox_rows: Gauge = "ordermill_audit_outbox_rows",
        /// Age of the oldest row of the outbox
        pub(crate) oldest_outbox: Seconds = "ordermill_audit_oldest_outbox_seconds",
        /// Orders inspected
        pub(crate) orders_checked: Counter = "ordermill_audit_orders_checked_total",
        /// End of the last complete round over the young orders, in Unix time; 0 before the first
        pub(crate) round: Seconds = "ordermill_audit_round_timestamp_seconds",
        /// End of the last complete walk over all orders, in Unix time; 0 before the first
        pub(crate) full_walk: Seconds = "ordermill_audit_full_walk_timestamp_seconds",
    }
}
