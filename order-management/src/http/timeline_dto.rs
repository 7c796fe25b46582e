//! A timeline as it is spoken over HTTP.

mod labels;

use domain::Reason;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use self::labels::{
    CallView, EventName, OutcomeView, PartView, StageView, WaitsForView, event_name, stage,
};
use super::order_dto::StatusView;
use super::rfc3339_option;
use crate::orders::{By, Event, Part, Timeline, What};

/// What became of an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TimelineView {
    /// The order.
    #[schema(example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5", format = Uuid)]
    order_id: String,
    /// How far it is.
    #[schema(example = "Confirmed", value_type = StatusView)]
    status: &'static str,
    /// What it waits for; left out once it is final, and if that cannot be told because a part is
    /// missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    waits_for: Option<WaitsForView>,
    /// The parts that could not be read and would have told more.
    #[schema(example = json!([]))]
    missing: Vec<PartView>,
    /// What happened, in the order of the road.
    events: Vec<EventView>,
}

/// Something that happened to an order. What is left out is not known, or does not belong to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventView {
    /// When, RFC 3339, UTC, by the clock of the database that knows it; of `parked`: whole seconds, by
    /// the clock of whoever parked it. Null if it happened at a time that nobody wrote down.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = Option<String>,
             format = DateTime, required = true)]
    #[serde(serialize_with = "rfc3339_option")]
    at: Option<OffsetDateTime>,
    /// What.
    #[schema(example = "captured")]
    event: EventName,
    /// The stage of the order pipeline that it happened at.
    #[schema(example = "charge")]
    stage: StageView,
    #[serde(flatten)]
    details: EventDetails,
}

/// What belongs to some events only.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventDetails {
    /// The worker, by its `INSTANCE_NAME`; not known of what is older than the workers' names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "mill-7/4711", nullable = false)]
    worker: Option<String>,
    /// How often workers had taken the payment by then, this time included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1, minimum = 1, nullable = false)]
    attempt: Option<i32>,
    /// What the gateway was asked and did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    operation: Option<CallView>,
    /// Why there was no answer, why it was declined or canceled, or why the message was parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "insufficient_funds", nullable = false)]
    reason: Option<String>,
    /// The payment's id, as in the worker's reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0197a4f0-6a10-7c11-8f02-5d1c2b3a4f60", format = Uuid, nullable = false)]
    payment_id: Option<String>,
    /// What the order's status became.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Confirmed", value_type = StatusView, required = false, nullable = false)]
    status: Option<&'static str>,
    /// How often its payment was requested again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1, minimum = 1, nullable = false)]
    times: Option<i32>,
    /// The dead-letter queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "processedorders.dead", nullable = false)]
    queue: Option<String>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "anna", nullable = false)]
    by: Option<String>,
    /// How it ended.
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
        What::PaymentStarted(by) | What::PaymentResumed(by) => of(by),
        What::Unanswered(by, call, why) => {
            EventDetails { operation: Some((*call).into()), reason: Some(why.clone()), ..of(by) }
        }
        What::Captured(by, id) => EventDetails { payment_id: Some(id.to_string()), ..of(by) },
        What::Declined(by, id, reason) => {
            EventDetails { payment_id: Some(id.to_string()), reason: text(reason), ..of(by) }
        }
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

fn of(by: &By) -> EventDetails {
    EventDetails { worker: by.worker.clone(), attempt: Some(by.attempt), ..EventDetails::default() }
}
