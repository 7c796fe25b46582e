//! Deliberate breaks. Each is a bug that real systems have had.

use crate::properties::{
    CAPTURED_ONCE, COMMITTED, CONFIRMED_IFF, DECLINED, DURABLE, ENDS, MOVES_ONCE, ROW,
};

/// A deliberate break of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The `201` goes out before the commit.
    AnswerBeforeCommit,
    /// No process sweeps: an order that its own process does not publish stays unpublished.
    NoSweep,
    /// A row belongs for ever to the process that claimed it.
    EndlessLease,
    /// The outbox row is removed without regard to the confirm.
    RemoveUnconfirmed,
    /// A worker acks a request on delivery, before the payment is recorded.
    AckBeforeRecord,
    /// A worker acks without waiting for the confirm of its reply.
    ReplyUnconfirmed,
    /// A worker acks without waiting for the confirm of the copy for the retry queue.
    CopyUnconfirmed,
    /// Every attempt has a key of its own, so there is nothing to look up.
    NewKeyEachTime,
    /// The gateway does not recognise a key it has charged.
    GatewayWithoutKeys,
    /// The gateway captures under a key that it has declined.
    FickleGateway,
    /// A missing answer counts as declined.
    TimeoutIsDeclined,
    /// A result is acked before the order's status is committed.
    SettleAcksFirst,
    /// The update of the status does not check for `Pending`.
    NoStatusGuard,
}

impl Variant {
    /// Every variant.
    #[rustfmt::skip]
    pub const ALL: [Variant; 13] = [
        Variant::AnswerBeforeCommit, Variant::NoSweep, Variant::EndlessLease,
        Variant::RemoveUnconfirmed, Variant::AckBeforeRecord, Variant::ReplyUnconfirmed,
        Variant::CopyUnconfirmed, Variant::NewKeyEachTime, Variant::GatewayWithoutKeys,
        Variant::FickleGateway, Variant::TimeoutIsDeclined, Variant::SettleAcksFirst,
        Variant::NoStatusGuard,
    ];

    /// A description of the break.
    #[rustfmt::skip]
    pub fn description(self) -> &'static str {
        match self {
            Variant::AnswerBeforeCommit => "the 201 goes out before the commit",
            Variant::NoSweep => "no sweep publishes the rows that were left behind",
            Variant::EndlessLease => "a lease does not end with its holder",
            Variant::RemoveUnconfirmed => "the outbox row is removed before its request is confirmed",
            Variant::AckBeforeRecord => "the worker acks before the payment is recorded",
            Variant::ReplyUnconfirmed => "the worker acks before its reply is confirmed",
            Variant::CopyUnconfirmed => "the worker acks before its copy for the retry queue is confirmed",
            Variant::NewKeyEachTime => "every attempt charges under a new key, without a look-up",
            Variant::GatewayWithoutKeys => "the gateway does not recognise a key it has charged",
            Variant::FickleGateway => "the gateway captures under a key it has declined",
            Variant::TimeoutIsDeclined => "a missing answer counts as declined",
            Variant::SettleAcksFirst => "a result is acked before the status is committed",
            Variant::NoStatusGuard => "the update of the status does not check for Pending",
        }
    }

    /// Number of faults that the break needs: an order gets into a retry queue only by a fault.
    pub(crate) fn faults(self) -> u8 {
        if self == Variant::CopyUnconfirmed { 2 } else { 1 }
    }

    /// The property that has to catch the break.
    pub fn caught_by(self) -> &'static str {
        match self {
            Variant::AnswerBeforeCommit => COMMITTED,
            Variant::NoSweep | Variant::EndlessLease => ENDS,
            Variant::RemoveUnconfirmed => ROW,
            Variant::AckBeforeRecord
            | Variant::ReplyUnconfirmed
            | Variant::CopyUnconfirmed
            | Variant::SettleAcksFirst => DURABLE,
            Variant::NewKeyEachTime | Variant::GatewayWithoutKeys => CAPTURED_ONCE,
            Variant::FickleGateway => CONFIRMED_IFF,
            Variant::TimeoutIsDeclined => DECLINED,
            Variant::NoStatusGuard => MOVES_ONCE,
        }
    }
}
