use db::dead_letters::RecordedAction;
use serde::Serialize;
use utoipa::ToSchema;

use super::fields::{BodyView, named, time_text};

/// An action on a dead letter.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActionView {
    /// The action's id.
    #[schema(format = Uuid, example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5")]
    pub(crate) id: String,
    /// `replay` or `discard`.
    #[schema(example = "replay")]
    pub(crate) action: &'static str,
    /// `done`; `failed`: the dead letter stayed; `unknown`: no confirm came, so a copy may be on its way
    /// and the dead letter stayed too; `begun`: the action is in progress, or its process died.
    #[schema(example = "done")]
    pub(crate) outcome: &'static str,
    /// The person who acted.
    #[schema(example = "anna")]
    pub(crate) by: String,
    /// The reason for the action.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ticket 7")]
    pub(crate) note: Option<String>,
    /// Time of the start.
    #[schema(format = DateTime, example = "2026-11-20T21:32:12.770147Z")]
    pub(crate) begun_at: String,
    /// Time at which the end was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-20T21:32:12.841773Z")]
    pub(crate) ended_at: Option<String>,
    /// The dead letter's id.
    pub(crate) letter_id: String,
    /// The dead-letter queue.
    pub(crate) queue: String,
    /// The reason for dead-lettering.
    pub(crate) reason: String,
    /// The reason as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// The AMQP message id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
    /// The orders of the message; the first ten.
    pub(crate) order_ids: Vec<String>,
    /// Attempts that started and did not finish.
    pub(crate) attempts: i64,
    /// Earlier replays.
    pub(crate) replays: i64,
}

/// An action with its whole dead letter.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct WholeAction {
    #[serde(flatten)]
    pub(crate) action: ActionView,
    #[serde(flatten)]
    pub(crate) contents: BodyView,
}

impl From<&RecordedAction> for ActionView {
    fn from(done: &RecordedAction) -> ActionView {
        let letter = &done.dead_letter;
        ActionView {
            id: done.id.to_string(),
            action: done.kind.as_str(),
            outcome: done.outcome.as_str(),
            by: done.by.clone(),
            note: done.note.clone(),
            begun_at: time_text(done.begun_at),
            ended_at: done.ended_at.map(time_text),
            letter_id: letter.id.clone(),
            queue: letter.queue.clone(),
            reason: letter.reason.clone(),
            detail: letter.detail.clone(),
            message_id: letter.message_id.clone(),
            order_ids: named(&letter.order_ids),
            attempts: letter.attempts,
            replays: letter.replays,
        }
    }
}

impl From<&RecordedAction> for WholeAction {
    fn from(done: &RecordedAction) -> WholeAction {
        let contents = BodyView::of(&done.dead_letter.body, &done.dead_letter.properties);
        WholeAction { action: ActionView::from(done), contents }
    }
}
