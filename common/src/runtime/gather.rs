//! Batches that form by themselves.
//!
//! While one batch is under way, whatever arrives meanwhile becomes the next. Nobody waits on a
//! timer: one item on an idle station goes through at once, as a batch of one.

mod line;

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use self::line::{Group, Line};
use super::{AtStation, Metrics, Tasks};

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
    /// How many go through together. A group that reaches over it still travels whole.
    pub batch_max: usize,
    /// How many batches may be under way. A second one starts beside the first only when it is a
    /// full one: two half batches cost nearly twice as much as a whole one.
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

/// What one item comes back with.
pub type Gathered<S> = Result<<S as Station>::Done, NotGathered<<S as Station>::Fault>>;

/// The way into a station. Clones lead to the same one.
pub struct Gather<S: Station> {
    line: Arc<Line<S>>,
    _door: Arc<Door<S>>,
}

impl<S: Station> Clone for Gather<S> {
    fn clone(&self) -> Self {
        Gather { line: self.line.clone(), _door: self._door.clone() }
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
        let line = Arc::new(Line::new(limits));
        let numbers = metrics.stations.at(S::NAME);
        let (asked, waiting) = (Arc::downgrade(&line), numbers.waiting.clone());
        metrics.at_scrape(move || {
            let count = asked.upgrade().map_or(0, |line| line.waiting());
            waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
        });
        let runner = Arc::new(Runner { station, line: line.clone(), numbers });
        for _ in 0..limits.in_flight_max {
            tasks.spawn(S::NAME, runner.clone().work());
        }
        Gather { line: line.clone(), _door: Arc::new(Door(line)) }
    }

    /// Waits for room, then for the result.
    pub async fn submit(&self, item: S::Item) -> Gathered<S> {
        only(self.submit_all(vec![item]).await)
    }

    /// Waits for room for all of them, then for all results. The items travel as one group:
    /// one wait and one answer, however many they are. Results stand in the order of `items`.
    pub async fn submit_all(&self, items: Vec<S::Item>) -> Vec<Gathered<S>> {
        let count = items.len();
        let (answer, results) = oneshot::channel();
        match self.line.enter_when_there_is_room(Group { items, answer: Some(answer) }).await {
            true => outcomes::<S>(count, results).await,
            false => closed(count),
        }
    }

    /// As [`Gather::submit`], but [`NotGathered::Full`] at once where there is no room.
    pub async fn try_submit(&self, item: S::Item) -> Gathered<S> {
        let (answer, results) = oneshot::channel();
        self.line.enter(Group { items: vec![item], answer: Some(answer) })?;
        only(outcomes::<S>(1, results).await)
    }

    /// Leaves items for whose results nobody waits. `false` where there is no room for all.
    pub fn leave_all(&self, items: Vec<S::Item>) -> bool {
        self.line.enter::<S::Fault>(Group { items, answer: None }).is_ok()
    }

    /// Comes back when nothing waits and nothing is under way.
    pub async fn quiet(&self) {
        self.line.quiet().await;
    }

    /// How many items wait.
    pub fn waiting(&self) -> usize {
        self.line.waiting()
    }
}

/// Closes the line behind the last way in.
struct Door<S: Station>(Arc<Line<S>>);

impl<S: Station> Drop for Door<S> {
    fn drop(&mut self) {
        self.0.close();
    }
}

async fn outcomes<S: Station>(
    count: usize,
    results: oneshot::Receiver<line::Results<S>>,
) -> Vec<Gathered<S>> {
    match results.await {
        Ok(results) => results.into_iter().map(|r| r.map_err(NotGathered::Failed)).collect(),
        Err(_) => closed(count),
    }
}

fn closed<D, F>(count: usize) -> Vec<Result<D, NotGathered<F>>> {
    (0..count).map(|_| Err(NotGathered::Closed)).collect()
}

fn only<D, F>(results: Vec<Result<D, NotGathered<F>>>) -> Result<D, NotGathered<F>> {
    results.into_iter().next().unwrap_or(Err(NotGathered::Closed))
}

/// However a runner ends, nobody is left waiting for an answer that does not come.
struct Left<'a, S: Station>(&'a Line<S>);

impl<S: Station> Drop for Left<'_, S> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

struct Runner<S: Station> {
    station: S,
    line: Arc<Line<S>>,
    numbers: AtStation,
}

impl<S: Station> Runner<S> {
    /// One of `in_flight_max` that take batch after batch.
    async fn work(self: Arc<Self>) {
        let _left = Left(&self.line);
        while let Some(batch) = self.line.next_batch().await {
            let size = batch.iter().map(|group| group.items.len()).sum();
            self.pass(batch).await;
            self.line.landed(size);
        }
    }

    /// Takes one batch through and answers everybody in it. Groups whose caller has left are
    /// dropped before anything is done for them.
    async fn pass(&self, batch: Vec<Group<S>>) {
        let started = Instant::now();
        let (mut items, mut callers) = (Vec::new(), Vec::new());
        for mut group in batch.into_iter().filter(Group::is_wanted) {
            callers.push((group.items.len(), group.answer));
            items.append(&mut group.items);
        }
        if items.is_empty() {
            return;
        }
        let mut results = self.results(&items).await.into_iter();
        for (count, caller) in callers {
            let results = results.by_ref().take(count).collect();
            if let Some(caller) = caller {
                // A caller that left meanwhile does not want to know.
                drop(caller.send(results));
            }
        }
        self.numbers.batch(items.len(), started.elapsed());
    }

    async fn results(&self, items: &[S::Item]) -> line::Results<S> {
        let mut results = Vec::with_capacity(items.len());
        // A stack of the parts still to do, the next one on top.
        let mut parts = vec![items];
        while let Some(part) = parts.pop() {
            match self.station.run(part).await {
                Err(fault) if part.len() > 1 && S::may_blame_an_item(&fault) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(fault) => results.extend(part.iter().map(|_| Err(fault.clone()))),
                Ok(done) => results.extend(done.into_iter().map(Ok)),
            }
        }
        results
    }
}

#[cfg(test)]
mod tests;
