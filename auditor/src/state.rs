use db::audit::Outbox;
use time::OffsetDateTime;

use crate::findings::Findings;
use crate::unfinished::UnfinishedOrders;

/// The results of the audit so far, as reports and metrics show them.
#[derive(Debug)]
pub(crate) struct AuditState {
    /// Suspicions and violations.
    pub(crate) findings: Findings,
    /// Pending orders and unknown charges.
    pub(crate) unfinished: UnfinishedOrders,
    /// Size and age of the outbox.
    pub(crate) outbox: Outbox,
    /// Time of the last round, by the database's clock.
    pub(crate) now: OffsetDateTime,
    /// Time at which the last walk over all orders ended.
    pub(crate) walked_at: Option<OffsetDateTime>,
}

impl Default for AuditState {
    fn default() -> AuditState {
        AuditState {
            findings: Findings::default(),
            unfinished: UnfinishedOrders::default(),
            outbox: Outbox::default(),
            now: OffsetDateTime::UNIX_EPOCH,
            walked_at: None,
        }
    }
}
