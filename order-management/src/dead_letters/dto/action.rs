use db::dead_letters::Done;
use serde::Serialize;
use utoipa::ToSchema;

use super::{BodyView, named, time_text};

/// What somebody did to a dead letter.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActionView {
    /// Its name.
    #[schema(format = Uuid, example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5")]
    pub(crate) id: String,
    /// `replay` or `discard`.
    #[schema(example = "replay")]
    pub(crate) action: &'static str,
    /// `done`; `failed`: the letter stayed; `unknown`: no confirm came, so a copy may be on its way
    /// and the letter stayed as well; `begun`: it is being done, or its process died over it.
    #[schema(example = "done")]
    pub(crate) outcome: &'static str,
    /// Who.
    #[schema(example = "anna")]
    pub(crate) by: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ticket 7")]
    pub(crate) note: Option<String>,
    /// When it was begun.
    #[schema(format = DateTime, example = "2026-11-20T21:32:12.770147Z")]
    pub(crate) begun_at: String,
    /// When its end was written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-20T21:32:12.841773Z")]
    pub(crate) ended_at: Option<String>,
    /// The letter.
    pub(crate) letter_id: String,
    /// The dead-letter queue that it lay in.
    pub(crate) queue: String,
    /// Why it lay there.
    pub(crate) reason: String,
    /// The same for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// The AMQP message id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
    /// The orders that it is about; the first ten.
    pub(crate) order_ids: Vec<String>,
    /// How often its work had been begun without an end.
    pub(crate) attempts: i64,
    /// How often it had been replayed before.
    pub(crate) replays: i64,
}

/// An action with its whole letter.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct WholeAction {
    #[serde(flatten)]
    pub(crate) action: ActionView,
    #[serde(flatten)]
    pub(crate) contents: BodyView,
}

impl From<&Done> for ActionView {
    fn from(done: &Done) -> ActionView {
        let letter = &done.letter;
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

impl From<&Done> for WholeAction {
    fn from(done: &Done) -> WholeAction {
        let contents = BodyView::of(&done.letter.body, &done.letter.properties);
        WholeAction { action: ActionView::from(done), contents }
    }
}
