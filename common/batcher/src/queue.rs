//! The queue in front of a stage: what waits, and when the next batch may start.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore, TryAcquireError, oneshot};

use super::{BatchHandler, BatchLimits, SubmitError};

/// One result for each item.
pub(super) type Results<S> = Vec<Result<<S as BatchHandler>::Output, <S as BatchHandler>::Error>>;

/// Items that were submitted together and are answered together.
pub(super) struct Submission<S: BatchHandler> {
    pub(super) items: Vec<S::Item>,
    pub(super) answer: Option<oneshot::Sender<Results<S>>>,
}

impl<S: BatchHandler> Submission<S> {
    /// Returns `false` if the caller that waited for the answer has gone away.
    pub(super) fn is_wanted(&self) -> bool {
        !self.answer.as_ref().is_some_and(oneshot::Sender::is_closed)
    }
}

/// The waiting submissions, behind a short lock instead of a channel: a channel wakes its reader for
/// each item, even while a batch is being processed and no other can start.
pub(super) struct Queue<S: BatchHandler> {
    limits: BatchLimits,
    /// A permit for each item that may still wait.
    room: Semaphore,
    state: Mutex<State<S>>,
    /// Notified when a batch may start or the queue is closed.
    start: Notify,
    /// Notified when no item waits and no batch is being processed.
    empty: Notify,
}

struct State<S: BatchHandler> {
    submissions: VecDeque<Submission<S>>,
    waiting: usize,
    /// Batches that are being processed, and their items.
    flights: usize,
    flying: usize,
    /// A runner has been notified and has not looked yet.
    called: bool,
    closed: bool,
}

impl<S: BatchHandler> Queue<S> {
    pub(super) fn new(limits: BatchLimits) -> Queue<S> {
        Queue {
            limits,
            room: Semaphore::new(limits.waiting_max),
            state: Mutex::new(State {
                submissions: VecDeque::new(),
                waiting: 0,
                flights: 0,
                flying: 0,
                called: false,
                closed: false,
            }),
            start: Notify::new(),
            empty: Notify::new(),
        }
    }

    /// Enters at once or not at all.
    pub(super) fn enter<F>(&self, submission: Submission<S>) -> Result<(), SubmitError<F>> {
        let permits = self.room.try_acquire_many(self.permits(submission.items.len()));
        permits
            .map_err(|refused| match refused {
                TryAcquireError::NoPermits => SubmitError::Full,
                TryAcquireError::Closed => SubmitError::Closed,
            })?
            .forget();
        if self.push(submission) { Ok(()) } else { Err(SubmitError::Closed) }
    }

    /// Enters as soon as there is room; `false` if the queue is closed.
    pub(super) async fn enter_when_there_is_room(&self, submission: Submission<S>) -> bool {
        match self.room.acquire_many(self.permits(submission.items.len())).await {
            Ok(permits) => {
                permits.forget();
                self.push(submission)
            }
            Err(_) => false,
        }
    }

    /// A submission larger than the whole room occupies all of it.
    fn permits(&self, items: usize) -> u32 {
        u32::try_from(items.min(self.limits.waiting_max)).unwrap_or(u32::MAX)
    }

    fn push(&self, submission: Submission<S>) -> bool {
        let mut state = self.state();
        if state.closed {
            return false;
        }
        state.waiting += submission.items.len();
        state.submissions.push_back(submission);
        self.call(&mut state);
        true
    }

    /// Waits until a batch may start and takes it; `None` once the queue is closed and empty.
    pub(super) async fn next_batch(&self) -> Option<Vec<Submission<S>>> {
        loop {
            let started = self.start.notified();
            {
                let mut state = self.state();
                state.called = false;
                if state.may_start(&self.limits) {
                    return Some(self.take(&mut state));
                }
                if state.closed && state.submissions.is_empty() {
                    return None;
                }
            }
            started.await;
        }
    }

    fn take(&self, state: &mut State<S>) -> Vec<Submission<S>> {
        let (mut batch, mut items) = (Vec::new(), 0);
        while items < self.limits.batch_max
            && let Some(submission) = state.submissions.pop_front()
        {
            items += submission.items.len();
            self.room.add_permits(submission.items.len().min(self.limits.waiting_max));
            batch.push(submission);
        }
        state.waiting -= items;
        state.flying += items;
        state.flights += 1;
        self.call(state);
        batch
    }

    /// Notifies a runner, if a batch may start.
    fn call(&self, state: &mut State<S>) {
        if !state.called && state.may_start(&self.limits) {
            state.called = true;
            self.start.notify_one();
        }
    }

    /// A batch of this many items has ended.
    pub(super) fn landed(&self, items: usize) {
        let mut state = self.state();
        state.flights -= 1;
        state.flying -= items;
        if state.waiting + state.flying == 0 {
            self.empty.notify_waiters();
        }
    }

    /// Accepts no further submissions. What waits is still processed as long as a runner lives.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.room.close();
        self.start.notify_waiters();
    }

    /// Closes the queue and drops what waits, which answers the callers: no runner is left.
    pub(super) fn abandon(&self) {
        self.close();
        self.state().submissions.clear();
    }

    /// Returns once no item waits and no batch is being processed.
    pub(super) async fn wait_idle(&self) {
        loop {
            let emptied = self.empty.notified();
            {
                let state = self.state();
                if state.waiting + state.flying == 0 {
                    return;
                }
            }
            emptied.await;
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.state().waiting
    }

    fn state(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: BatchHandler> State<S> {
    /// The first batch starts with the items there are, another one beside it only when it is full.
    fn may_start(&self, limits: &BatchLimits) -> bool {
        let full = self.waiting >= limits.batch_max;
        !self.submissions.is_empty()
            && (self.flights == 0 || full && self.flights < limits.in_flight_max)
    }
}
