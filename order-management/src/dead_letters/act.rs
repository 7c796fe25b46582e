use amqp::{DeadLetter, NotConfirmed};
use db::dead_letters::{self as store, ActionKind, NewAction, Outcome};
use domain::{ActionId, OrderId};
use messages::decode_requests;
use serde::Deserialize;
use telemetry::ORDER_TARGET;

use super::{DeadLetterError, DeadLetters, Note, Operator};

/// The most bytes of letters that are handled together, unless one alone has more.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What an operator wants to be done to letters.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    kind: ActionKind,
    by: Operator,
    note: Option<Note>,
}

impl Action {
    /// A copy goes back to the queue that it came from.
    pub(crate) fn replay(by: Operator, note: Option<Note>) -> Action {
        Action { kind: ActionKind::Replay, by, note }
    }

    /// It is kept in the record, and nowhere else. Nobody may do that without a word.
    pub(crate) fn discard(by: Operator, note: Note) -> Action {
        Action { kind: ActionKind::Discard, by, note: Some(note) }
    }

    /// For others who want to know who is at it.
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
                dead_lettered_at: letter.parked_at,
                properties: letter.properties_json(),
                body: letter.body.clone(),
            },
        }
    }
}

/// Parts of `letters` that are small enough to be handled together.
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

impl DeadLetters {
    /// Written down, done, the end written down; and a letter leaves its queue only once what
    /// becomes of it is durable: a discarded one's record, a replayed one's copy and record.
    pub(super) async fn carry_out(
        &self,
        hand: &amqp::DeadLetters,
        letters: &[&DeadLetter],
        action: &Action,
    ) -> Result<Vec<ActionId>, DeadLetterError> {
        let actions: Vec<NewAction> =
            letters.iter().map(|letter| action.to(letter, self.orders(letter))).collect();
        let ids: Vec<ActionId> = actions.iter().map(|action| action.id).collect();
        store::begin(&self.db, &actions).await?;
        match action.kind {
            ActionKind::Replay => self.replay(hand, letters, &ids).await?,
            ActionKind::Discard => {
                hand.remove(letters).await?;
                store::end(&self.db, &ids, Outcome::Done).await?;
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
        hand: &amqp::DeadLetters,
        letters: &[&DeadLetter],
        ids: &[ActionId],
    ) -> Result<(), DeadLetterError> {
        let confirms = hand.replay(letters).await;
        for outcome in [Outcome::Done, Outcome::Failed, Outcome::Unknown] {
            let ended = ids.iter().zip(&confirms).filter(|(_, confirm)| end(confirm) == outcome);
            let ended: Vec<ActionId> = ended.map(|(id, _)| *id).collect();
            if !ended.is_empty() {
                store::end(&self.db, &ended, outcome).await?;
            }
        }
        let gone = letters.iter().zip(&confirms).filter(|(_, confirm)| confirm.is_ok());
        let gone: Vec<&DeadLetter> = gone.map(|(letter, _)| *letter).collect();
        hand.remove(&gone).await?;
        confirms.into_iter().collect::<Result<(), _>>().map_err(DeadLetterError::NotConfirmed)
    }

    /// The orders that a letter is about, as far as it can be read.
    pub(super) fn orders(&self, letter: &DeadLetter) -> Vec<OrderId> {
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
        let is_request = letter.queue == self.broker.send.dead();
        let message = letter.message_id.as_ref().filter(|_| orders.is_empty() && is_request);
        orders.into_iter().chain(message.and_then(|id| id.parse().ok())).collect()
    }
}

fn end(confirm: &Result<(), NotConfirmed>) -> Outcome {
    match confirm {
        Ok(()) => Outcome::Done,
        Err(NotConfirmed::NotConnected | NotConfirmed::Returned | NotConfirmed::Nacked) => {
            Outcome::Failed
        }
        Err(NotConfirmed::Unknown) => Outcome::Unknown,
    }
}
