//! Batches that form by themselves.
//!
//! While one batch is being processed, the items that arrive form the next batch. No timer is
//! involved: one item in an idle stage is processed at once, as a batch of one.

mod metrics;
mod queue;

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use service::Runtime;
use tokio::sync::oneshot;

use self::metrics::{StageMetrics, Stages};
use self::queue::{Queue, Submission};

/// The work of a stage: it processes a whole batch at once.
pub trait BatchHandler: Send + Sync + 'static {
    /// Name of the stage, in logs and metrics.
    const NAME: &'static str;
    /// An item to process.
    type Item: Send + Sync + 'static;
    /// The result of one item. A refusal that concerns only this item belongs here.
    type Output: Send + 'static;
    /// The reason why no item of the batch was processed.
    type Error: Clone + Send + Sync + 'static;

    /// Processes all items or none. Returns one result per item, in the order of `batch`.
    fn run(
        &self,
        batch: &[Self::Item],
    ) -> impl Future<Output = Result<Vec<Self::Output>, Self::Error>> + Send;

    /// Returns `true` if one item may have caused the error of the whole batch. The batch is then
    /// halved until that item fails alone and the others succeed.
    fn may_blame_an_item(error: &Self::Error) -> bool;
}

/// Limits of a stage.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Largest number of waiting items.
    pub waiting_max: usize,
    /// Largest number of items in a batch. A submission that exceeds it is not divided.
    pub batch_max: usize,
    /// Largest number of batches at the same time. A second batch starts beside the first only when
    /// it is full: two half batches cost nearly twice as much as one whole batch.
    pub in_flight_max: usize,
}

/// The reason why an item has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError<F> {
    /// `waiting_max` items wait already; the item was not processed.
    #[error("too many are waiting")]
    Full,
    /// The stage is closed, or closed meanwhile; the item may have been processed.
    #[error("the stage is closed")]
    Closed,
    /// The batch failed with this error.
    #[error("the batch failed")]
    Failed(F),
}

/// The result of one item, or the reason why there is none.
pub type SubmitResult<S> =
    Result<<S as BatchHandler>::Output, SubmitError<<S as BatchHandler>::Error>>;

/// The entrance of a stage. Clones lead to the same stage.
pub struct Batcher<S: BatchHandler> {
    queue: Arc<Queue<S>>,
    _close_on_drop: Arc<CloseOnDrop<S>>,
}

impl<S: BatchHandler> Clone for Batcher<S> {
    fn clone(&self) -> Self {
        Batcher { queue: self.queue.clone(), _close_on_drop: self._close_on_drop.clone() }
    }
}

impl<S: BatchHandler> std::fmt::Debug for Batcher<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batcher({})", S::NAME)
    }
}

impl<S: BatchHandler> Batcher<S> {
    /// Starts the stage. It closes when the last `Batcher` is dropped or the tasks end.
    pub fn open(handler: S, limits: BatchLimits, runtime: &Runtime) -> Batcher<S> {
        let queue = Arc::new(Queue::new(limits));
        let metrics = runtime.metrics.get::<Stages>().stage(S::NAME);
        let (watched, waiting) = (Arc::downgrade(&queue), metrics.waiting.clone());
        runtime.metrics.on_scrape(move || {
            let count = watched.upgrade().map_or(0, |queue| queue.waiting());
            waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
        });
        let runner = Arc::new(Runner { handler, queue: queue.clone(), metrics });
        for _ in 0..limits.in_flight_max {
            runtime.tasks.spawn(S::NAME, runner.clone().work());
        }
        Batcher { queue: queue.clone(), _close_on_drop: Arc::new(CloseOnDrop(queue)) }
    }

    /// Waits for room, then for the result.
    pub async fn submit(&self, item: S::Item) -> SubmitResult<S> {
        only(self.submit_all(vec![item]).await)
    }

    /// Waits for room for all items, then for all results, in the order of `items`. The items form
    /// one submission: they enter one batch and are answered together.
    pub async fn submit_all(&self, items: Vec<S::Item>) -> Vec<SubmitResult<S>> {
        let count = items.len();
        let (answer, results) = oneshot::channel();
        match self.queue.enter_when_there_is_room(Submission { items, answer: Some(answer) }).await
        {
            true => outcomes::<S>(count, results).await,
            false => closed(count),
        }
    }

    /// As [`Batcher::submit`], but returns [`SubmitError::Full`] at once if there is no room.
    pub async fn try_submit(&self, item: S::Item) -> SubmitResult<S> {
        let (answer, results) = oneshot::channel();
        self.queue.enter(Submission { items: vec![item], answer: Some(answer) })?;
        only(outcomes::<S>(1, results).await)
    }

    /// Submits items without waiting for their results. Returns `false`, and processes none of them,
    /// if there is no room for all.
    pub fn submit_detached(&self, items: Vec<S::Item>) -> bool {
        self.queue.enter::<S::Error>(Submission { items, answer: None }).is_ok()
    }

    /// Returns once no item waits and no batch is being processed.
    pub async fn wait_idle(&self) {
        self.queue.wait_idle().await;
    }

    /// Number of waiting items.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }
}

/// Closes the queue when the last `Batcher` is dropped.
struct CloseOnDrop<S: BatchHandler>(Arc<Queue<S>>);

impl<S: BatchHandler> Drop for CloseOnDrop<S> {
    fn drop(&mut self) {
        self.0.close();
    }
}

async fn outcomes<S: BatchHandler>(
    count: usize,
    results: oneshot::Receiver<queue::Results<S>>,
) -> Vec<SubmitResult<S>> {
    match results.await {
        Ok(results) => results.into_iter().map(|r| r.map_err(SubmitError::Failed)).collect(),
        Err(_) => closed(count),
    }
}

fn closed<D, F>(count: usize) -> Vec<Result<D, SubmitError<F>>> {
    (0..count).map(|_| Err(SubmitError::Closed)).collect()
}

fn only<D, F>(results: Vec<Result<D, SubmitError<F>>>) -> Result<D, SubmitError<F>> {
    results.into_iter().next().unwrap_or(Err(SubmitError::Closed))
}

/// Answers all waiting submissions when a runner ends, even by a panic.
struct AbandonOnDrop<'a, S: BatchHandler>(&'a Queue<S>);

impl<S: BatchHandler> Drop for AbandonOnDrop<'_, S> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

struct Runner<S: BatchHandler> {
    handler: S,
    queue: Arc<Queue<S>>,
    metrics: StageMetrics,
}

impl<S: BatchHandler> Runner<S> {
    /// Processes batch after batch. `in_flight_max` of these run at the same time.
    async fn work(self: Arc<Self>) {
        let _abandon_on_drop = AbandonOnDrop(&self.queue);
        while let Some(batch) = self.queue.next_batch().await {
            let size = batch.iter().map(|submission| submission.items.len()).sum();
            self.pass(batch).await;
            self.queue.landed(size);
        }
    }

    /// Processes one batch and answers its submissions. A submission whose caller has gone away is
    /// dropped before its items are processed.
    async fn pass(&self, batch: Vec<Submission<S>>) {
        let started = Instant::now();
        let (mut items, mut callers) = (Vec::new(), Vec::new());
        for mut submission in batch.into_iter().filter(Submission::is_wanted) {
            callers.push((submission.items.len(), submission.answer));
            items.append(&mut submission.items);
        }
        if items.is_empty() {
            return;
        }
        let mut results = self.results(&items).await.into_iter();
        for (count, caller) in callers {
            let results = results.by_ref().take(count).collect();
            if let Some(caller) = caller {
                // The caller may have gone away meanwhile.
                drop(caller.send(results));
            }
        }
        self.metrics.batch(items.len(), started.elapsed());
    }

    async fn results(&self, items: &[S::Item]) -> queue::Results<S> {
        let mut results = Vec::with_capacity(items.len());
        // A stack of the parts that are left, the next one on top.
        let mut parts = vec![items];
        while let Some(part) = parts.pop() {
            match self.handler.run(part).await {
                Err(error) if part.len() > 1 && S::may_blame_an_item(&error) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(error) => results.extend(part.iter().map(|_| Err(error.clone()))),
                Ok(done) => results.extend(done.into_iter().map(Ok)),
            }
        }
        results
    }
}

#[cfg(test)]
mod tests;
