//! The closed sets of words in a timeline.

use db::dead_letters::Outcome;
use domain::GatewayCall;
use serde::Serialize;
use utoipa::ToSchema;

use crate::orders::{WaitsFor, What};

/// What can happen to an order.
///
/// * `placed`: it was committed.
/// * `queued`: its request waits in the outbox.
/// * `published`: the broker has confirmed its request.
/// * `payment_started`: a worker began its payment. `payment_resumed`: the last time that one took it again.
/// * `unanswered`: the gateway was asked and did not answer. The newest twenty are kept.
/// * `captured`, `declined`: the gateway's verdict was recorded.
/// * `replied`: the verdict was sent back.
/// * `settled`: its status became final.
/// * `payment_rerequested`: it was late and its payment was requested again, the last time. Known while it is
///   late.
/// * `parked`: a message about it became a dead letter. Known once somebody has acted on the letter.
/// * `replayed`, `discarded`: what somebody did to that letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventName {
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
pub(crate) enum StageView {
    Place,
    Relay,
    Charge,
    Reply,
    Settle,
    Reconcile,
    Park,
    Replay,
}

/// What a pending order waits for.
///
/// * `in_outbox`: its request has not reached the broker.
/// * `not_begun`: its request is on its way or lost; no worker has begun.
/// * `unknown_charge`: the gateway may have been asked, and has not said how it ended.
/// * `not_settled`: the payment has ended; the result is on its way or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WaitsForView {
    InOutbox,
    NotBegun,
    UnknownCharge,
    NotSettled,
}

/// A part of a timeline that is read for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PartView {
    Payments,
}

/// What can be asked of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CallView {
    Charge,
    LookUp,
}

/// How an action on a dead letter ended. `failed`: the letter stayed; `unknown`: no confirm came, so a
/// copy may be on its way and the letter stayed as well; `begun`: it is being done, or its process died
/// over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeView {
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
