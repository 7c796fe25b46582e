//! What is known, as metrics.

use std::time::Duration;

use crate::metrics::{AuditMetrics, KindLabels};
use time::OffsetDateTime;

use super::Audit;
use crate::judge::{Kind, Reason};

impl Audit {
    pub(super) fn show(&self) {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        for kind in Kind::ALL {
            let violations = self.metrics.violations.get_or_create(&label(kind.as_str()));
            violations.set(count(self.findings.count(kind)));
        }
        let metrics = self.standing.metrics(self.now);
        for (reason, pending) in Reason::ALL.iter().zip(metrics.pending) {
            self.metrics.pending.get_or_create(&label(reason.as_str())).set(count(pending));
        }
        self.metrics.oldest_pending.set(metrics.oldest_pending.as_secs_f64());
        self.metrics.unknown_charges.set(count(metrics.unknown));
        self.metrics.oldest_unknown.set(metrics.oldest_unknown.as_secs_f64());
        self.metrics.outbox_rows.set(self.outbox.rows);
        self.metrics.oldest_outbox.set(self.outbox.oldest.as_secs_f64());
    }
}

/// Each kind from the start, so that the first one found is an increase.
pub(super) fn none_found(metrics: &AuditMetrics) {
    for kind in Kind::ALL {
        drop(metrics.found.get_or_create(&label(kind.as_str())));
    }
}

pub(super) fn label(kind: &'static str) -> KindLabels {
    KindLabels { kind }
}

/// Since 1970, to the millisecond.
pub(super) fn seconds(at: OffsetDateTime) -> f64 {
    let whole = Duration::try_from(at - OffsetDateTime::UNIX_EPOCH).unwrap_or_default();
    whole.as_secs_f64()
}
