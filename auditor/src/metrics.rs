//! Metrics of the auditor.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use telemetry::metrics;
use telemetry::metrics::{Counter, Family, Gauge, Seconds};
use time::OffsetDateTime;

use crate::state::AuditState;
use crate::unfinished::WaitReason;
use crate::violation::ViolationKind;

/// A kind of violation, or a reason to wait.
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

impl AuditMetrics {
    /// Exposes every kind from the start, so that the first violation of a kind is an increase.
    pub(crate) fn expose_kinds(&self) {
        for kind in ViolationKind::ALL {
            drop(self.found.get_or_create(&KindLabels { kind: kind.as_str() }));
        }
    }

    /// Sets the gauges to the results of the audit.
    pub(crate) fn show(&self, state: &AuditState) {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        for kind in ViolationKind::ALL {
            let labels = KindLabels { kind: kind.as_str() };
            self.violations.get_or_create(&labels).set(count(state.findings.count(kind)));
        }
        let totals = state.unfinished.totals(state.now);
        for (reason, pending) in WaitReason::ALL.iter().zip(totals.pending) {
            self.pending.get_or_create(&KindLabels { kind: reason.as_str() }).set(count(pending));
        }
        self.oldest_pending.set(totals.oldest_pending.as_secs_f64());
        self.unknown_charges.set(count(totals.unknown));
        self.oldest_unknown.set(totals.oldest_unknown.as_secs_f64());
        self.outbox_rows.set(state.outbox.rows);
        self.oldest_outbox.set(state.outbox.oldest.as_secs_f64());
    }
}

/// Seconds since 1970, with fractions.
pub(crate) fn unix_seconds(at: OffsetDateTime) -> f64 {
    let since_1970 = Duration::try_from(at - OffsetDateTime::UNIX_EPOCH).unwrap_or_default();
    since_1970.as_secs_f64()
}
