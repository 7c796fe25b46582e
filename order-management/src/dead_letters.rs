//! Dead letters for a person: looked at where they lie, put back, or discarded. What is done is
//! written down before it is done, and a letter leaves its queue last of all: whatever dies in
//! between, the letter is still there, or a copy of it is on its way and the record says so.

mod act;
mod dto;
mod labels;

use std::ops::ControlFlow;
use std::time::Duration;

use amqp::{BrokerError, BrokerSettings, DeadLetter, NotConfirmed, WorkQueue};
use db::Db;
use db::dead_letters::{self as store, DeadLetterLock};
use domain::{ActionId, OrderId};

pub(crate) use act::Action;
pub(crate) use amqp::DeadLetterId;
pub(crate) use dto::{ActionView, LetterView, Listing, Replayed, WholeAction, WholeLetter};
pub(crate) use labels::{Note, Operator};

/// How long to wait for somebody else who is at the dead letters.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
/// The most letters of a queue that are looked at in one go, and replayed in one go.
pub(crate) const LOOK_MAX: usize = 100_000;
/// How many are replayed in one go, unless the operator says otherwise.
pub(crate) const REPLAY_DEFAULT: usize = 10_000;

/// Why an operator does not get what was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeadLetterError {
    /// Two at a time would hide letters from each other. Nothing was done.
    #[error("somebody else is at the dead letters ({0}); try again in a moment")]
    Locked(String),
    /// It may never have been there, or somebody was faster. Nothing was done.
    #[error("there is no dead letter {0} (any more)")]
    NotFound(DeadLetterId),
    /// Letters in hand go back.
    #[error("the broker does not do its part: {0}")]
    Broker(#[from] BrokerError),
    /// The copy was not stored for certain. The letter stays.
    #[error("the letter stays: the broker did not take its copy: {0}")]
    NotConfirmed(NotConfirmed),
    /// What was begun is recorded as begun. Letters in hand go back.
    #[error(transparent)]
    Store(#[from] db::Error),
    /// Something of the above, in the middle of many.
    #[error("{0}; {1} letters were replayed before that")]
    Stopped(Box<DeadLetterError>, usize),
}

/// Which letters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only those of this queue.
    pub(crate) queue: Option<WorkQueue>,
    /// Only those with this reason.
    pub(crate) reason: Option<String>,
    /// Only those about this order.
    pub(crate) order: Option<OrderId>,
}

/// Everything that can be done about dead letters.
#[derive(Clone, Debug)]
pub(crate) struct DeadLetters {
    db: Db,
    broker: BrokerSettings,
}

impl DeadLetters {
    pub(crate) fn new(db: &Db, broker: &BrokerSettings) -> DeadLetters {
        DeadLetters { db: db.clone(), broker: broker.clone() }
    }

    /// The work queue of this name, or the one whose dead-letter queue has it.
    pub(crate) fn queue(&self, name: &str) -> Result<WorkQueue, String> {
        let queues = self.broker.work_queues();
        let named = queues.iter().find(|queue| queue.name == name || queue.dead() == name);
        let names: Vec<String> = queues.iter().map(WorkQueue::dead).collect();
        named.cloned().ok_or_else(|| format!("must be one of {}", names.join(", ")))
    }

    /// Up to `limit` letters, by queue and then oldest first.
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

    /// One letter, with its body and how the orders are that it is about.
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
            statuses.push((*order, db::orders::get(&self.db, *order).await?.map(|o| o.status)));
        }
        Ok(WholeLetter::of(&letter, &orders, statuses))
    }

    /// Does it to one letter.
    pub(crate) async fn act(
        &self,
        id: &DeadLetterId,
        action: &Action,
    ) -> Result<WholeAction, DeadLetterError> {
        let _lock = self.lock(&action.name()).await?;
        let mut done = None;
        self.walk(self.broker.work_queues(), async |hand, page| {
            let Some(letter) = page.into_iter().find(|letter| letter.id == *id) else {
                return Ok(ControlFlow::Continue(()));
            };
            done = self.carry_out(hand, &[&letter], action).await?.first().copied();
            Ok(ControlFlow::Break(()))
        })
        .await?;
        let action = done.ok_or_else(|| DeadLetterError::NotFound(id.clone()))?;
        self.action(action).await?.ok_or_else(|| DeadLetterError::NotFound(id.clone()))
    }

    /// Replays up to `limit` of the letters that are there now. What is parked again meanwhile is
    /// not replayed a second time.
    pub(crate) async fn replay_all(
        &self,
        filter: &Filter,
        limit: usize,
        action: &Action,
    ) -> Result<Replayed, DeadLetterError> {
        let _lock = self.lock(&action.name()).await?;
        let mut replayed = 0;
        let queues = self.queues(filter);
        let walked = self.walk(&queues, async |hand, page| {
            let wanted = page.iter().filter(|letter| filter.takes(letter, &self.orders(letter)));
            let mut wanted: Vec<&DeadLetter> = wanted.collect();
            let more = wanted.len() > limit - replayed;
            wanted.truncate(limit - replayed);
            for batch in act::batches(&wanted) {
                replayed += self.carry_out(hand, batch, action).await?.len();
            }
            Ok(if more { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        match walked.await {
            Ok(all_seen) => Ok(Replayed { replayed, more: !all_seen }),
            Err(error) if replayed > 0 => Err(DeadLetterError::Stopped(Box::new(error), replayed)),
            Err(error) => Err(error),
        }
    }

    /// What was done, newest first: up to `limit` actions before `before`, on all letters or one.
    pub(crate) async fn actions(
        &self,
        before: Option<ActionId>,
        limit: i64,
        letter: Option<&DeadLetterId>,
    ) -> Result<Vec<store::RecordedAction>, DeadLetterError> {
        let letter = letter.map(DeadLetterId::as_str);
        Ok(store::list(&self.db, before, limit, letter).await?)
    }

    /// One action, with its whole letter.
    pub(crate) async fn action(
        &self,
        id: ActionId,
    ) -> Result<Option<WholeAction>, DeadLetterError> {
        Ok(store::get(&self.db, id).await?.as_ref().map(WholeAction::from))
    }

    async fn lock(&self, name: &str) -> Result<DeadLetterLock, DeadLetterError> {
        let taken = store::lock(&self.db, name, LOCK_TIMEOUT).await?;
        taken.map_err(DeadLetterError::Locked)
    }

    fn queues(&self, filter: &Filter) -> Vec<WorkQueue> {
        filter.queue.as_ref().map_or(self.broker.work_queues().to_vec(), |one| vec![one.clone()])
    }

    /// Shows `visit` page after page, until it has seen enough. Whether it has seen all of them.
    async fn walk(
        &self,
        queues: &[WorkQueue],
        mut visit: impl AsyncFnMut(
            &amqp::DeadLetters,
            Vec<DeadLetter>,
        ) -> Result<ControlFlow<()>, DeadLetterError>,
    ) -> Result<bool, DeadLetterError> {
        for queue in queues {
            let mut hand = self.broker.open_dead_letters(queue).await?;
            let walked = pages(&mut hand, &mut visit).await;
            hand.close().await;
            if walked?.is_break() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

async fn pages(
    hand: &mut amqp::DeadLetters,
    visit: &mut impl AsyncFnMut(
        &amqp::DeadLetters,
        Vec<DeadLetter>,
    ) -> Result<ControlFlow<()>, DeadLetterError>,
) -> Result<ControlFlow<()>, DeadLetterError> {
    let mut looked_at = 0;
    loop {
        let page = hand.page().await?;
        if page.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        looked_at += page.len();
        if visit(hand, page).await?.is_break() || looked_at >= LOOK_MAX {
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
