//! The timeline of an order and its events.

use db::dead_letters::Outcome;
use domain::{GatewayCall, OrderId, OrderStatus, PaymentId, Reason};
use time::OffsetDateTime;

/// The timeline of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// The order.
    pub(crate) id: OrderId,
    /// The order's status.
    pub(crate) status: OrderStatus,
    /// The reason to wait, if the order is pending and the reason is known.
    pub(crate) waits_for: Option<WaitsFor>,
    /// State of the workers' part.
    pub(crate) payments: Part,
    /// The events, in the order of the pipeline.
    pub(crate) events: Vec<Event>,
}

/// State of a part of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Read,
    Missing,
}

/// The reason why an order is pending, in the auditor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    /// The request has not reached the broker.
    InOutbox,
    /// The request is on its way or lost: no worker has started the payment.
    NotBegun,
    /// The gateway may have been asked, and has given no verdict.
    UnknownCharge,
    /// The payment is finished; the result is on its way or lost.
    NotSettled,
}

/// An event of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The time, by the clock of the database that recorded it; `None` if none did.
    pub(crate) at: Option<OffsetDateTime>,
    /// The kind of event.
    pub(crate) what: What,
}

/// A worker, and the number of times that the payment had been started by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct By {
    pub(crate) worker: Option<String>,
    pub(crate) attempt: i32,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Placed,
    Queued,
    Published,
    PaymentStarted(By),
    PaymentResumed(By),
    Unanswered(By, GatewayCall, String),
    Captured(By, PaymentId),
    Declined(By, PaymentId, Option<Reason>),
    Replied,
    Settled(OrderStatus, Option<Reason>),
    PaymentRerequested(i32),
    DeadLettered { queue: String, reason: String },
    Replayed { by: String, outcome: Outcome },
    Discarded { by: String, outcome: Outcome },
}
