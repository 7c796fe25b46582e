//! The labels of a timeline: closed sets of names.

use db::dead_letters::Outcome;
use domain::GatewayCall;
use serde::Serialize;
use utoipa::ToSchema;

use crate::orders::{WaitsFor, What};

/// The events of an order.
///
/// * `placed`: the order was committed.
/// * `queued`: the payment request waits in the outbox.
/// * `published`: the broker has confirmed the payment request.
/// * `payment_started`: a worker started the payment. `payment_resumed`: a worker started the payment again,
///   the last time.
/// * `unanswered`: the gateway did not answer a call. The newest twenty are kept.
/// * `captured`, `declined`: the gateway's verdict was recorded.
/// * `replied`: the worker has published the verdict.
/// * `settled`: the order's status became final.
/// * `payment_rerequested`: the order was overdue and its payment was requested again, the last time. Listed
///   only while the order is overdue.
/// * `parked`: a message about the order became a dead letter. Listed once an operator has acted on it.
/// * `replayed`, `discarded`: an operator's action on that dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum EventName {
    Placed,
    Queued,
    Published,
    PaymentStarted,
    PaymentResumed,
    Unanswered,
    Captured,
    Declined,
    Replied,
    Settled,
    PaymentRerequested,
    #[serde(rename = "parked")]
    DeadLettered,
    Replayed,
    Discarded,
}

/// A stage of the order pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum StageView {
    Place,
    Relay,
    Charge,
    Reply,
    Settle,
    Reconcile,
    Park,
    Replay,
}

/// The next step that a pending order waits for.
///
/// * `in_outbox`: the payment request has not reached the broker.
/// * `not_begun`: the payment request is on its way or lost; no worker has started the payment.
/// * `unknown_charge`: the gateway may have been called and has given no verdict.
/// * `not_settled`: the payment has a verdict; the result is on its way or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum WaitsForView {
    InOutbox,
    NotBegun,
    UnknownCharge,
    NotSettled,
}

/// A part of a timeline that is read separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum PartView {
    Payments,
}

/// A call of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum CallView {
    Charge,
    LookUp,
}

/// The outcome of an action on a dead letter. `failed`: the dead letter stayed; `unknown`: the broker sent
/// no confirm, so the dead letter stayed and a copy may be on its way; `begun`: the action is in progress,
/// or its process died during it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum OutcomeView {
    Begun,
    Done,
    Failed,
    Unknown,
}

pub(super) fn event_name(what: &What) -> EventName {
    match what {
        What::Placed => EventName::Placed,
        What::Queued => EventName::Queued,
        What::Published => EventName::Published,
        What::PaymentStarted(_) => EventName::PaymentStarted,
        What::PaymentResumed(_) => EventName::PaymentResumed,
        What::Unanswered(..) => EventName::Unanswered,
        What::Captured(..) => EventName::Captured,
        What::Declined(..) => EventName::Declined,
        What::Replied => EventName::Replied,
        What::Settled(..) => EventName::Settled,
        What::PaymentRerequested(_) => EventName::PaymentRerequested,
        What::DeadLettered { .. } => EventName::DeadLettered,
        What::Replayed { .. } => EventName::Replayed,
        What::Discarded { .. } => EventName::Discarded,
    }
}

pub(super) fn stage(what: &What) -> StageView {
    match what {
        What::Placed => StageView::Place,
        What::Queued | What::Published => StageView::Relay,
        What::PaymentStarted(_)
        | What::PaymentResumed(_)
        | What::Unanswered(..)
        | What::Captured(..)
        | What::Declined(..) => StageView::Charge,
        What::Replied => StageView::Reply,
        What::Settled(..) => StageView::Settle,
        What::PaymentRerequested(_) => StageView::Reconcile,
        What::DeadLettered { .. } => StageView::Park,
        What::Replayed { .. } | What::Discarded { .. } => StageView::Replay,
    }
}

impl From<WaitsFor> for WaitsForView {
    fn from(waits_for: WaitsFor) -> WaitsForView {
        match waits_for {
            WaitsFor::InOutbox => WaitsForView::InOutbox,
            WaitsFor::NotBegun => WaitsForView::NotBegun,
            WaitsFor::UnknownCharge => WaitsForView::UnknownCharge,
            WaitsFor::NotSettled => WaitsForView::NotSettled,
        }
    }
}

impl From<GatewayCall> for CallView {
    fn from(call: GatewayCall) -> CallView {
        match call {
            GatewayCall::Charge => CallView::Charge,
            GatewayCall::LookUp => CallView::LookUp,
        }
    }
}

impl From<Outcome> for OutcomeView {
    fn from(outcome: Outcome) -> OutcomeView {
        match outcome {
            Outcome::Begun => OutcomeView::Begun,
            Outcome::Done => OutcomeView::Done,
            Outcome::Failed => OutcomeView::Failed,
            Outcome::Unknown => OutcomeView::Unknown,
        }
    }
}
