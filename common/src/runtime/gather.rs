//! Batches that form by themselves.
//!
//! While one batch is under way, whatever arrives meanwhile becomes the next. Nobody waits on a
//! timer: one item on an idle station goes through at once, as a batch of one.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

use super::{Metrics, Tasks};

/// A station of the road: what is done to a whole batch at once.
pub trait Station: Send + Sync + 'static {
    /// The station's verb, as in logs and metrics.
    const NAME: &'static str;
    /// What comes in.
    type Item: Send + Sync + 'static;
    /// What one item gets for itself. A refusal that concerns only this item belongs in here.
    type Done: Send + 'static;
    /// Why nothing was done for any item of the batch.
    type Fault: Clone + Send + Sync + 'static;

    /// Does the work, all of it or none, and answers item by item in the order of `batch`.
    fn run(
        &self,
        batch: &[Self::Item],
    ) -> impl Future<Output = Result<Vec<Self::Done>, Self::Fault>> + Send;

    /// Whether one item may be to blame for the whole batch's fault. If so the batch is halved
    /// until the culprit stands alone and the others are through.
    fn may_blame_an_item(fault: &Self::Fault) -> bool;
}

/// The bounds of a station.
#[derive(Clone, Copy, Debug)]
pub struct GatherLimits {
    /// How many items may wait.
    pub waiting_max: usize,
    /// How many go through together.
    pub batch_max: usize,
    /// How many batches may be under way.
    pub in_flight_max: usize,
}

/// Why an item has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGathered<F> {
    /// `waiting_max` items wait already; nothing was done.
    #[error("too many are waiting")]
    Full,
    /// The station is closed, or closed meanwhile: unknown whether something was done.
    #[error("the station is closed")]
    Closed,
    /// The batch failed for this reason.
    #[error("the batch failed")]
    Failed(F),
}

type Answer<S> = oneshot::Sender<Result<<S as Station>::Done, <S as Station>::Fault>>;

struct Waiting<S: Station> {
    item: S::Item,
    answer: Option<Answer<S>>,
}

/// The way into a station. Clones lead to the same one.
pub struct Gather<S: Station> {
    queue: mpsc::Sender<Waiting<S>>,
    unfinished: Arc<Unfinished>,
}

impl<S: Station> Clone for Gather<S> {
    fn clone(&self) -> Self {
        Gather { queue: self.queue.clone(), unfinished: self.unfinished.clone() }
    }
}

impl<S: Station> std::fmt::Debug for Gather<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gather({})", S::NAME)
    }
}

impl<S: Station> Gather<S> {
    /// Opens the station. It closes when the last way in is dropped or `tasks` end.
    pub fn open(station: S, limits: GatherLimits, tasks: &Tasks, metrics: &Metrics) -> Gather<S> {
        let (queue, arrivals) = mpsc::channel(limits.waiting_max);
        let unfinished = Arc::new(Unfinished::default());
        let runner =
            Runner { station, limits, unfinished: unfinished.clone(), metrics: metrics.clone() };
        tasks.spawn(S::NAME, Arc::new(runner).work(arrivals, tasks.clone()));
        Gather { queue, unfinished }
    }

    /// Waits for room, then for the result.
    pub async fn submit(&self, item: S::Item) -> Result<S::Done, NotGathered<S::Fault>> {
        let room = self.queue.reserve().await.map_err(|_| NotGathered::Closed)?;
        let (answer, result) = oneshot::channel();
        self.enter(room, Waiting { item, answer: Some(answer) });
        outcome(result).await
    }

    /// The same, but [`NotGathered::Full`] at once where there is no room.
    pub async fn try_submit(&self, item: S::Item) -> Result<S::Done, NotGathered<S::Fault>> {
        let room = self.queue.try_reserve().map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(()) => NotGathered::Full,
            mpsc::error::TrySendError::Closed(()) => NotGathered::Closed,
        })?;
        let (answer, result) = oneshot::channel();
        self.enter(room, Waiting { item, answer: Some(answer) });
        outcome(result).await
    }

    /// Leaves an item for whose result nobody waits. `false` where there is no room.
    pub fn leave(&self, item: S::Item) -> bool {
        let room = self.queue.try_reserve();
        room.map(|room| self.enter(room, Waiting { item, answer: None })).is_ok()
    }

    fn enter(&self, room: mpsc::Permit<'_, Waiting<S>>, waiting: Waiting<S>) {
        self.unfinished.count.fetch_add(1, Ordering::AcqRel);
        room.send(waiting);
    }

    /// Comes back when nothing waits and nothing is under way.
    pub async fn quiet(&self) {
        loop {
            let changed = self.unfinished.changed.notified();
            if self.unfinished.count.load(Ordering::Acquire) == 0 {
                return;
            }
            changed.await;
        }
    }

    /// How many items wait.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

async fn outcome<D, F>(result: oneshot::Receiver<Result<D, F>>) -> Result<D, NotGathered<F>> {
    match result.await {
        Ok(result) => result.map_err(NotGathered::Failed),
        Err(_) => Err(NotGathered::Closed),
    }
}

/// How many items are somewhere between the way in and their answer.
#[derive(Debug, Default)]
struct Unfinished {
    count: AtomicUsize,
    changed: Notify,
}

impl Unfinished {
    fn finish(&self, size: usize) {
        if self.count.fetch_sub(size, Ordering::AcqRel) == size {
            self.changed.notify_waiters();
        }
    }
}

struct Runner<S: Station> {
    station: S,
    limits: GatherLimits,
    unfinished: Arc<Unfinished>,
    metrics: Metrics,
}

impl<S: Station> Runner<S> {
    async fn work(self: Arc<Self>, mut arrivals: mpsc::Receiver<Waiting<S>>, tasks: Tasks) {
        let in_flight = Arc::new(Semaphore::new(self.limits.in_flight_max));
        loop {
            let Ok(permit) = in_flight.clone().acquire_owned().await else { return };
            let mut batch = Vec::new();
            if arrivals.recv_many(&mut batch, self.limits.batch_max).await == 0 {
                return;
            }
            let runner = self.clone();
            tasks.spawn(S::NAME, async move {
                let size = batch.len();
                runner.pass(batch).await;
                runner.unfinished.finish(size);
                drop(permit);
            });
        }
    }

    /// Takes one batch through and answers everybody in it. Items whose caller has left are
    /// dropped before anything is done for them.
    async fn pass(&self, batch: Vec<Waiting<S>>) {
        let started = Instant::now();
        let wanted = |w: &Waiting<S>| !w.answer.as_ref().is_some_and(oneshot::Sender::is_closed);
        let (items, mut answers): (Vec<_>, VecDeque<_>) =
            batch.into_iter().filter(wanted).map(|w| (w.item, w.answer)).unzip();
        // A stack of the parts still to do, the next one on top.
        let mut parts: Vec<&[S::Item]> = vec![&items];
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            match self.station.run(part).await {
                Err(fault) if part.len() > 1 && S::may_blame_an_item(&fault) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(fault) => {
                    let callers = answers.drain(..part.len());
                    callers.for_each(|caller| tell(caller, Err(fault.clone())));
                }
                Ok(done) => {
                    let callers: Vec<_> = answers.drain(..part.len()).collect();
                    callers.into_iter().zip(done).for_each(|(caller, done)| tell(caller, Ok(done)));
                }
            }
        }
        if !items.is_empty() {
            self.metrics.batch(S::NAME, items.len(), started.elapsed());
        }
    }
}

/// A caller that left meanwhile does not want to know.
fn tell<D, F>(caller: Option<oneshot::Sender<Result<D, F>>>, result: Result<D, F>) {
    if let Some(caller) = caller {
        drop(caller.send(result));
    }
}

#[cfg(test)]
mod tests;
