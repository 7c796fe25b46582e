//! What can be broken on purpose. Each of these has been somebody's bug.

use crate::properties::{
    ACKED, CAPTURED_ONCE, COMMITTED, CONFIRMED_IFF, DECLINED, ENDS, MOVES_ONCE, ROW,
};

/// What is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The `201` goes out before the commit.
    AnswerBeforeCommit,
    /// Nobody sweeps: what the process that committed does not publish, nobody does.
    NoSweep,
    /// A row belongs for ever to whoever took it.
    EndlessLease,
    /// The outbox row goes, whatever the broker said.
    RemoveUnconfirmed,
    /// A worker acks a request when it takes it, before anything is recorded.
    AckBeforeRecord,
    /// A worker acks without waiting for the confirm of its reply.
    ReplyUnconfirmed,
    /// A worker acks without waiting for the confirm of the copy for the delay ladder.
    CopyUnconfirmed,
    /// Every attempt has a key of its own, so there is nothing to look up.
    NewKeyEachTime,
    /// The gateway does not recognise a key it has charged.
    GatewayWithoutKeys,
    /// The gateway captures under a key that it has declined.
    FickleGateway,
    /// No answer in time is taken as "declined".
    TimeoutIsDeclined,
    /// A result is acked before the order's status is committed.
    SettleAcksFirst,
    /// The update of the status does not ask for `Pending`.
    NoStatusGuard,
}

impl Variant {
    /// All of them.
    #[rustfmt::skip]
    pub const ALL: [Variant; 13] = [
        Variant::AnswerBeforeCommit, Variant::NoSweep, Variant::EndlessLease,
        Variant::RemoveUnconfirmed, Variant::AckBeforeRecord, Variant::ReplyUnconfirmed,
        Variant::CopyUnconfirmed, Variant::NewKeyEachTime, Variant::GatewayWithoutKeys,
        Variant::FickleGateway, Variant::TimeoutIsDeclined, Variant::SettleAcksFirst,
        Variant::NoStatusGuard,
    ];

    /// What is broken, in words.
    #[rustfmt::skip]
    pub fn says(self) -> &'static str {
        match self {
            Variant::AnswerBeforeCommit => "the 201 goes out before the commit",
            Variant::NoSweep => "nobody sweeps what was left behind",
            Variant::EndlessLease => "a lease does not end with its holder",
            Variant::RemoveUnconfirmed => "the outbox row goes before its request is confirmed",
            Variant::AckBeforeRecord => "the worker acks before the payment is recorded",
            Variant::ReplyUnconfirmed => "the worker acks before its reply is confirmed",
            Variant::CopyUnconfirmed => "the worker acks before its copy for the delay ladder is confirmed",
            Variant::NewKeyEachTime => "every attempt charges under a new key, nothing is looked up",
            Variant::GatewayWithoutKeys => "the gateway does not recognise a key it has charged",
            Variant::FickleGateway => "the gateway captures under a key it has declined",
            Variant::TimeoutIsDeclined => "no answer in time is taken as declined",
            Variant::SettleAcksFirst => "a result is acked before the status is committed",
            Variant::NoStatusGuard => "the update of the status does not ask for Pending",
        }
    }

    /// How many faults it takes to see it: an order gets to the delay ladder only by a fault.
    pub(crate) fn faults(self) -> u8 {
        if self == Variant::CopyUnconfirmed { 2 } else { 1 }
    }

    /// The property that has to catch it.
    pub fn caught_by(self) -> &'static str {
        match self {
            Variant::AnswerBeforeCommit => COMMITTED,
            Variant::NoSweep | Variant::EndlessLease => ENDS,
            Variant::RemoveUnconfirmed => ROW,
            Variant::AckBeforeRecord
            | Variant::ReplyUnconfirmed
            | Variant::CopyUnconfirmed
            | Variant::SettleAcksFirst => ACKED,
            Variant::NewKeyEachTime | Variant::GatewayWithoutKeys => CAPTURED_ONCE,
            Variant::FickleGateway => CONFIRMED_IFF,
            Variant::TimeoutIsDeclined => DECLINED,
            Variant::NoStatusGuard => MOVES_ONCE,
        }
    }
}
