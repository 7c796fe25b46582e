//! What the tables know of one order's way, for whoever asks. Orders and payments may lie in different
//! databases, so each side is read for itself; every time is the clock's of the side it was read from.

mod payments;
mod shop;

use domain::{GatewayCall, OrderStatus, PaymentId, Reason, Verdict};
use time::OffsetDateTime;

use crate::dead_letters::{ActionKind, Outcome};

pub use payments::payments;
pub use shop::shop;

/// The shop's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shop {
    /// How far the order is.
    pub status: OrderStatus,
    /// Why it was canceled.
    pub cancel_reason: Option<Reason>,
    /// When it was committed.
    pub placed_at: OffsetDateTime,
    /// When its status last moved.
    pub moved_at: OffsetDateTime,
    /// Whether its request waits in the outbox.
    pub outbox: InOutbox,
    /// How often it was asked for again, if it was.
    pub asked_again: Option<Rerequested>,
    /// What was done to dead letters about it, in this order; the last hundred.
    pub letters: Vec<DeadLetterAction>,
}

/// Whether a request waits in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InOutbox {
    /// No: the broker has confirmed it.
    No,
    /// Since then.
    Since(OffsetDateTime),
    /// So much does that it was not found; what has waited as long as this order does.
    Behind,
}

/// A late order's request that was put into the outbox once more. Known while the order is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rerequested {
    /// How often.
    pub times: i32,
    /// The last time.
    pub at: OffsetDateTime,
}

/// What somebody did to a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterAction {
    /// The letter's name.
    pub letter: String,
    /// The dead-letter queue it lay in.
    pub queue: String,
    /// Why it lay there.
    pub reason: String,
    /// When it was parked, in whole seconds by the clock of whoever parked it.
    pub parked_at: Option<OffsetDateTime>,
    /// What was done.
    pub kind: ActionKind,
    /// How that ended.
    pub outcome: Outcome,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: OffsetDateTime,
}

/// The workers' side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The payment's id.
    pub id: PaymentId,
    /// When it was begun, and by whom.
    pub begun: Taken,
    /// When it was taken the last time, if that was not the first, and by whom.
    pub again: Option<Taken>,
    /// The verdict, if there is one, and who brought it.
    pub ended: Option<(Verdict, Taken)>,
    /// Calls that the gateway gave no answer to, in this order; the newest of them.
    pub unanswered: Vec<UnansweredCall>,
}

/// A worker's part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// When.
    pub at: OffsetDateTime,
    /// Who; nobody knows of a payment that is older than the workers' names.
    pub worker: Option<String>,
    /// How often the payment had been taken by then, this time included.
    pub attempt: i32,
}

/// A call without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnansweredCall {
    /// Who called. The time is that of writing it down.
    pub taken: Taken,
    /// What was asked.
    pub call: GatewayCall,
    /// Why there is no answer.
    pub why: String,
}
