//! The operator's actions on dead letters: list, show, replay, discard. An action is recorded before it
//! is carried out, and a dead letter leaves its queue last. If a process dies in between, the dead letter
//! is still there, or a copy is on its way and the record says so.

mod act;
mod dto;
mod error;
mod keyed;
mod labels;

use std::ops::ControlFlow;
use std::time::Duration;

use amqp::{BrokerSettings, DeadLetter, WorkQueue};
use db::dead_letters::{self as store, DeadLetterLock};
use db::idempotency::RequestKind;
use db::{Db, Listed};
use domain::{ActionId, IdempotencyKey, OrderId};

use act::Acting;
pub(crate) use act::Action;
pub(crate) use amqp::DeadLetterId;
pub(crate) use dto::{ActionView, LetterView, Listing, Replayed, WholeAction, WholeLetter};
pub(crate) use error::DeadLetterError;
pub(crate) use keyed::ReplayAll;
pub(crate) use labels::{Note, Operator};

use crate::keys::KeysInUse;

/// Time to wait for another session that holds the lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
/// Largest number of dead letters of a queue that one command receives, and replays.
pub(crate) const LOOK_MAX: usize = 100_000;
/// Number of dead letters that one command replays, unless the operator gives another.
pub(crate) const REPLAY_DEFAULT: usize = 10_000;

/// A selection of dead letters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only those of this queue.
    pub(crate) queue: Option<WorkQueue>,
    /// Only those with this reason.
    pub(crate) reason: Option<String>,
    /// Only those about this order.
    pub(crate) order: Option<OrderId>,
}

/// The commands on dead letters.
#[derive(Clone, Debug)]
pub(crate) struct DeadLetters {
    db: Db,
    broker: BrokerSettings,
    keys: KeysInUse<(RequestKind, IdempotencyKey)>,
}

impl DeadLetters {
    pub(crate) fn new(db: &Db, broker: &BrokerSettings) -> DeadLetters {
        DeadLetters { db: db.clone(), broker: broker.clone(), keys: KeysInUse::default() }
    }

    /// The work queue of this name, or the one whose dead-letter queue has it.
    pub(crate) fn queue(&self, name: &str) -> Result<WorkQueue, String> {
        let queues = self.broker.work_queues();
        let named = queues.iter().find(|queue| queue.name == name || queue.dead() == name);
        let names: Vec<String> = queues.iter().map(WorkQueue::dead).collect();
        named.cloned().ok_or_else(|| format!("must be one of {}", names.join(", ")))
    }

    /// Up to `limit` dead letters, by queue and then oldest first.
    pub(crate) async fn list(
        &self,
        filter: &Filter,
        limit: usize,
    ) -> Result<Listing, DeadLetterError> {
        let _lock = self.lock("list").await?;
        let mut data = Vec::new();
        let all_seen = self
            .walk(&self.queues(filter), async |_, page| {
                for letter in &page {
                    let orders = self.orders(letter);
                    if filter.takes(letter, &orders) {
                        if data.len() == limit {
                            return Ok(ControlFlow::Break(()));
                        }
                        data.push(LetterView::of(letter, &orders));
                    }
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        Ok(Listing { data, more: !all_seen })
    }

    /// One dead letter, with its body and the states of its orders.
    pub(crate) async fn show(&self, id: &DeadLetterId) -> Result<WholeLetter, DeadLetterError> {
        let _lock = self.lock("show").await?;
        let mut found = None;
        self.walk(self.broker.work_queues(), async |_, page| {
            found = page.into_iter().find(|letter| letter.id == *id);
            Ok(if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
        .await?;
        let letter = found.ok_or_else(|| DeadLetterError::NotFound(id.clone()))?;
        let orders = self.orders(&letter);
        let mut statuses = Vec::new();
        for order in orders.iter().take(dto::ORDERS_SHOWN) {
            let found = match db::orders::get(&self.db, *order).await {
                // Written by SQL: the dead letter is shown without the order's status.
                Err(db::Error::Refused(_)) => None,
                found => found?,
            };
            statuses.push((*order, found.map(|order| order.status)));
        }
        Ok(WholeLetter::of(&letter, &orders, statuses))
    }

    /// Carries out an action on one dead letter.
    pub(crate) async fn act(
        &self,
        id: &DeadLetterId,
        action: &Action,
    ) -> Result<WholeAction, DeadLetterError> {
        let _lock = self.lock(&action.name()).await?;
        let mut done = None;
        self.walk(self.broker.work_queues(), async |open, page| {
            let Some(letter) = page.into_iter().find(|letter| letter.id == *id) else {
                return Ok(ControlFlow::Continue(()));
            };
            done = self.acting(open).carry_out(&[&letter], action).await?.first().copied();
            Ok(ControlFlow::Break(()))
        })
        .await?;
        let action = done.ok_or_else(|| DeadLetterError::NotFound(id.clone()))?;
        self.action(action).await?.ok_or_else(|| DeadLetterError::NotFound(id.clone()))
    }

    /// Replays up to `limit` of the dead letters that are there now. A message that is dead-lettered again
    /// meanwhile is not replayed a second time.
    pub(crate) async fn replay_all(
        &self,
        filter: &Filter,
        limit: usize,
        action: &Action,
    ) -> Result<Replayed, DeadLetterError> {
        let _lock = self.lock(&action.name()).await?;
        let mut replayed = 0;
        let queues = self.queues(filter);
        let walked = self.walk(&queues, async |open, page| {
            let wanted = page.iter().filter(|letter| filter.takes(letter, &self.orders(letter)));
            let mut wanted: Vec<&DeadLetter> = wanted.collect();
            let more = wanted.len() > limit - replayed;
            wanted.truncate(limit - replayed);
            for batch in act::batches(&wanted) {
                replayed += self.acting(open).carry_out(batch, action).await?.len();
            }
            Ok(if more { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        match walked.await {
            Ok(all_seen) => Ok(Replayed { replayed, more: !all_seen }),
            Err(error) if replayed > 0 => Err(DeadLetterError::Stopped(Box::new(error), replayed)),
            Err(error) => Err(error),
        }
    }

    /// Up to `limit` recorded actions before `before`, newest first, on all dead letters or one.
    pub(crate) async fn actions(
        &self,
        before: Option<ActionId>,
        limit: i64,
        letter: Option<&DeadLetterId>,
    ) -> Result<Listed<store::RecordedAction, ActionId>, DeadLetterError> {
        let letter = letter.map(DeadLetterId::as_str);
        Ok(store::list(&self.db, before, limit, letter).await?)
    }

    /// One action, with its whole dead letter.
    pub(crate) async fn action(
        &self,
        id: ActionId,
    ) -> Result<Option<WholeAction>, DeadLetterError> {
        Ok(store::get(&self.db, id).await?.as_ref().map(WholeAction::from))
    }

    fn acting<'a>(&'a self, queue: &'a amqp::DeadLetters) -> Acting<'a> {
        Acting { db: &self.db, queue, requests: &self.broker.send }
    }

    /// The orders of a dead letter, as far as it is readable.
    fn orders(&self, letter: &DeadLetter) -> Vec<OrderId> {
        act::orders_of(letter, &self.broker.send)
    }

    async fn lock(&self, name: &str) -> Result<DeadLetterLock, DeadLetterError> {
        let taken = store::lock(&self.db, name, LOCK_TIMEOUT).await?;
        taken.map_err(DeadLetterError::Locked)
    }

    fn queues(&self, filter: &Filter) -> Vec<WorkQueue> {
        filter.queue.as_ref().map_or(self.broker.work_queues().to_vec(), |one| vec![one.clone()])
    }

    /// Passes page after page to `visit`, until it breaks. Returns `true` if it has seen all of them.
    async fn walk(
        &self,
        queues: &[WorkQueue],
        mut visit: impl AsyncFnMut(
            &amqp::DeadLetters,
            Vec<DeadLetter>,
        ) -> Result<ControlFlow<()>, DeadLetterError>,
    ) -> Result<bool, DeadLetterError> {
        for queue in queues {
            let mut open = self.broker.open_dead_letters(queue).await?;
            let walked = pages(&mut open, &mut visit).await;
            open.close().await;
            if walked?.is_break() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

async fn pages(
    open: &mut amqp::DeadLetters,
    visit: &mut impl AsyncFnMut(
        &amqp::DeadLetters,
        Vec<DeadLetter>,
    ) -> Result<ControlFlow<()>, DeadLetterError>,
) -> Result<ControlFlow<()>, DeadLetterError> {
    let mut looked_at = 0;
    loop {
        let page = open.page().await?;
        if page.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        looked_at += page.len();
        if visit(open, page).await?.is_break() || looked_at >= LOOK_MAX {
            return Ok(ControlFlow::Break(()));
        }
    }
}

impl Filter {
    fn takes(&self, letter: &DeadLetter, orders: &[OrderId]) -> bool {
        self.reason.as_ref().is_none_or(|reason| letter.reason == *reason)
            && self.order.is_none_or(|order| orders.contains(&order))
    }
}
