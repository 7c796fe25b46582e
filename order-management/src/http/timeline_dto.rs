//! A timeline in answers.

mod labels;

use domain::{Reason, rfc3339};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use self::labels::{
    CallView, EventName, OutcomeView, PartView, StageView, WaitsForView, event_name, stage,
};
use super::order_dto::StatusView;
use crate::orders::{By, Event, Part, Timeline, What};

/// The timeline of an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TimelineView {
    /// The order.
    #[schema(example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5", format = Uuid)]
    order_id: String,
    /// The order's status.
    #[schema(example = "Confirmed", value_type = StatusView)]
    status: &'static str,
    /// The next step that a pending order waits for; left out once the status is final, and where a
    /// missing part would be needed to determine the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    waits_for: Option<WaitsForView>,
    /// The parts that could not be read; with them the timeline may have more events.
    #[schema(example = json!([]))]
    missing: Vec<PartView>,
    /// The events, in the order of the stages.
    events: Vec<EventView>,
}

/// An event of an order. A field that is left out is unknown, or does not belong to the event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventView {
    /// The time, RFC 3339, UTC, by the clock of the database that recorded it; for `parked`: whole
    /// seconds, by the clock of the process that dead-lettered the message. Null if no time was recorded.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = Option<String>,
             format = DateTime, required = true)]
    #[serde(serialize_with = "rfc3339::serialize_option")]
    at: Option<OffsetDateTime>,
    /// The name of the event.
    #[schema(example = "captured")]
    event: EventName,
    /// The stage of the order pipeline.
    #[schema(example = "charge")]
    stage: StageView,
    #[serde(flatten)]
    details: EventDetails,
}

/// The fields of some events only.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventDetails {
    /// The worker's `INSTANCE_NAME`; unknown for payments older than the workers' names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "mill-7/4711", nullable = false)]
    worker: Option<String>,
    /// Number of times that workers had started the payment by then, this time included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1, minimum = 1, nullable = false)]
    attempt: Option<i32>,
    /// The call that the gateway did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    operation: Option<CallView>,
    /// The reason for the missing answer, the decline, the cancellation, or the dead letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "insufficient_funds", nullable = false)]
    reason: Option<String>,
    /// The payment's id, as in the worker's reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0197a4f0-6a10-7c11-8f02-5d1c2b3a4f60", format = Uuid, nullable = false)]
    payment_id: Option<String>,
    /// The order's new status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Confirmed", value_type = StatusView, required = false, nullable = false)]
    status: Option<&'static str>,
    /// Number of times that the payment was requested again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1, minimum = 1, nullable = false)]
    times: Option<i32>,
    /// The dead-letter queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "processedorders.dead", nullable = false)]
    queue: Option<String>,
    /// The operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "anna", nullable = false)]
    by: Option<String>,
    /// The outcome of the operator's action.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    outcome: Option<OutcomeView>,
}

impl From<&Timeline> for TimelineView {
    fn from(timeline: &Timeline) -> TimelineView {
        TimelineView {
            order_id: timeline.id.to_string(),
            status: timeline.status.as_str(),
            waits_for: timeline.waits_for.map(WaitsForView::from),
            missing: match timeline.payments {
                Part::Read => Vec::new(),
                Part::Missing => vec![PartView::Payments],
            },
            events: timeline.events.iter().map(EventView::from).collect(),
        }
    }
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> EventView {
        EventView {
            at: event.at,
            event: event_name(&event.what),
            stage: stage(&event.what),
            details: details(&event.what),
        }
    }
}

fn details(what: &What) -> EventDetails {
    let text = |reason: &Option<Reason>| reason.as_ref().map(ToString::to_string);
    match what {
        What::Placed | What::Queued | What::Published | What::Replied => EventDetails::default(),
        What::PaymentStarted(by) | What::PaymentResumed(by) => started_by(by),
        What::Unanswered(by, call, why) => EventDetails {
            operation: Some((*call).into()),
            reason: Some(why.clone()),
            ..started_by(by)
        },
        What::Captured(by, id) => {
            EventDetails { payment_id: Some(id.to_string()), ..started_by(by) }
        }
        What::Declined(by, id, reason) => EventDetails {
            payment_id: Some(id.to_string()),
            reason: text(reason),
            ..started_by(by)
        },
        What::Settled(status, reason) => EventDetails {
            status: Some(status.as_str()),
            reason: text(reason),
            ..EventDetails::default()
        },
        What::PaymentRerequested(times) => {
            EventDetails { times: Some(*times), ..EventDetails::default() }
        }
        What::DeadLettered { queue, reason } => EventDetails {
            queue: Some(queue.clone()),
            reason: Some(reason.clone()),
            ..EventDetails::default()
        },
        What::Replayed { by, outcome } | What::Discarded { by, outcome } => EventDetails {
            by: Some(by.clone()),
            outcome: Some((*outcome).into()),
            ..EventDetails::default()
        },
    }
}

fn started_by(by: &By) -> EventDetails {
    EventDetails { worker: by.worker.clone(), attempt: Some(by.attempt), ..EventDetails::default() }
}
