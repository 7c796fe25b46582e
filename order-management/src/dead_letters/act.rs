use amqp::{DeadLetter, NotConfirmed, WorkQueue};
use db::Db;
use db::dead_letters::{self as store, ActionKind, NewAction, Outcome};
use domain::{ActionId, OrderId};
use messages::decode_requests;
use serde::Deserialize;
use telemetry::ORDER_TARGET;

use super::error::DeadLetterError;
use super::labels::{Note, Operator};

/// Largest number of bytes of dead letters that are handled together, unless one alone has more.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// An operator's action on dead letters.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    kind: ActionKind,
    by: Operator,
    note: Option<Note>,
}

impl Action {
    /// A copy returns to the queue that the message came from.
    pub(crate) fn replay(by: Operator, note: Option<Note>) -> Action {
        Action { kind: ActionKind::Replay, by, note }
    }

    /// The dead letter is kept in the record only, which requires a note.
    pub(crate) fn discard(by: Operator, note: Note) -> Action {
        Action { kind: ActionKind::Discard, by, note: Some(note) }
    }

    /// The action as a part of a request's content, to recognise another request under the same key.
    pub(super) fn content(&self) -> serde_json::Value {
        let note = self.note.as_ref().map(ToString::to_string);
        serde_json::json!([self.kind.as_str(), self.by.to_string(), note])
    }

    /// The holder of the lock, as other sessions see it.
    pub(super) fn name(&self) -> String {
        format!("{} by {}", self.kind.as_str(), self.by)
    }

    fn to(&self, letter: &DeadLetter, order_ids: Vec<OrderId>) -> NewAction {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        NewAction {
            id: ActionId::new(),
            kind: self.kind,
            by: self.by.to_string(),
            note: self.note.as_ref().map(ToString::to_string),
            dead_letter: store::DeadLetter {
                id: letter.id.to_string(),
                queue: letter.queue.clone(),
                reason: letter.reason.clone(),
                detail: letter.detail.clone(),
                message_id: letter.message_id.clone(),
                order_ids,
                attempts: count(letter.attempts),
                replays: count(letter.replays),
                dead_lettered_at: letter.dead_lettered_at,
                properties: letter.properties_json(),
                body: letter.body.clone(),
            },
        }
    }
}

/// `letters` in parts that are small enough to be handled together.
pub(super) fn batches<'a, 'b>(letters: &'b [&'a DeadLetter]) -> Vec<&'b [&'a DeadLetter]> {
    let (mut batches, mut rest) = (Vec::new(), letters);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|letter| {
            bytes += letter.body.len();
            bytes <= BATCH_BYTES_MAX
        });
        let (batch, after) = rest.split_at(fits.count().max(1));
        batches.push(batch);
        rest = after;
    }
    batches
}

/// An open dead-letter queue and the record of actions.
pub(super) struct Acting<'a> {
    pub(super) db: &'a Db,
    pub(super) queue: &'a amqp::DeadLetters,
    /// The queue of payment requests.
    pub(super) requests: &'a WorkQueue,
}

impl Acting<'_> {
    /// Records an action, carries it out, and records its end. A dead letter leaves its queue only once the
    /// record is durable and, for a replay, the copy too.
    pub(super) async fn carry_out(
        &self,
        letters: &[&DeadLetter],
        action: &Action,
    ) -> Result<Vec<ActionId>, DeadLetterError> {
        let actions: Vec<NewAction> = letters
            .iter()
            .map(|letter| action.to(letter, orders_of(letter, self.requests)))
            .collect();
        let ids: Vec<ActionId> = actions.iter().map(|action| action.id).collect();
        store::begin(self.db, &actions).await?;
        match action.kind {
            ActionKind::Replay => self.replay(letters, &ids).await?,
            ActionKind::Discard => {
                self.queue.remove(letters).await?;
                store::end(self.db, &ids, Outcome::Done).await?;
            }
        }
        for letter in letters {
            let (message_id, request_id) = (&letter.message_id, &letter.correlation_id);
            let (queue, kind) = (&letter.queue, action.kind.as_str());
            log::info!(target: ORDER_TARGET, by:% = action.by, queue, message_id, request_id; "{kind}");
        }
        Ok(ids)
    }

    async fn replay(
        &self,
        letters: &[&DeadLetter],
        ids: &[ActionId],
    ) -> Result<(), DeadLetterError> {
        let confirms = self.queue.replay(letters).await;
        for outcome in [Outcome::Done, Outcome::Failed, Outcome::Unknown] {
            let ended = ids.iter().zip(&confirms).filter(|(_, confirm)| end(confirm) == outcome);
            let ended: Vec<ActionId> = ended.map(|(id, _)| *id).collect();
            if !ended.is_empty() {
                store::end(self.db, &ended, outcome).await?;
            }
        }
        let gone = letters.iter().zip(&confirms).filter(|(_, confirm)| confirm.is_ok());
        let gone: Vec<&DeadLetter> = gone.map(|(letter, _)| *letter).collect();
        self.queue.remove(&gone).await?;
        confirms.into_iter().collect::<Result<(), _>>().map_err(DeadLetterError::NotConfirmed)
    }
}

/// The orders of a dead letter, as far as it is readable.
pub(super) fn orders_of(letter: &DeadLetter, requests: &WorkQueue) -> Vec<OrderId> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "orderId")]
        order_id: String,
    }
    let named = |bytes| serde_json::from_slice::<Named>(bytes).ok()?.order_id.parse().ok();
    // Requests and results are divided into objects in the same way.
    let parts = decode_requests(&letter.body);
    let orders: Vec<OrderId> = parts.iter().filter_map(|part| named(part.bytes)).collect();
    // A request's message is named after its order.
    let is_request = letter.queue == requests.dead();
    let message = letter.message_id.as_ref().filter(|_| orders.is_empty() && is_request);
    orders.into_iter().chain(message.and_then(|id| id.parse().ok())).collect()
}

fn end(confirm: &Result<(), NotConfirmed>) -> Outcome {
    match confirm {
        Ok(()) => Outcome::Done,
        Err(
            NotConfirmed::NotConnected
            | NotConfirmed::NotSent
            | NotConfirmed::Returned
            | NotConfirmed::Nacked,
        ) => Outcome::Failed,
        Err(NotConfirmed::Unknown) => Outcome::Unknown,
    }
}
