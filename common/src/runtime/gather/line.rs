//! The line in front of a station: who waits, how many, and when the next batch may start.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore, TryAcquireError, oneshot};

use super::{GatherLimits, NotGathered, Station};

/// One result for each item.
pub(super) type Results<S> = Vec<Result<<S as Station>::Done, <S as Station>::Fault>>;

/// Items that came together and are answered together.
pub(super) struct Group<S: Station> {
    pub(super) items: Vec<S::Item>,
    pub(super) answer: Option<oneshot::Sender<Results<S>>>,
}

impl<S: Station> Group<S> {
    /// Whether somebody waits for the answer, or nobody ever did.
    pub(super) fn is_wanted(&self) -> bool {
        !self.answer.as_ref().is_some_and(oneshot::Sender::is_closed)
    }
}

/// A short lock instead of a channel: a channel wakes its reader for each item, also while a batch
/// is under way and nothing can start.
pub(super) struct Line<S: Station> {
    limits: GatherLimits,
    /// A permit for each item that may still wait.
    room: Semaphore,
    state: Mutex<State<S>>,
    /// A batch may start, or the line is closed.
    start: Notify,
    /// Nothing waits and nothing is under way.
    empty: Notify,
}

struct State<S: Station> {
    groups: VecDeque<Group<S>>,
    waiting: usize,
    /// Batches and items under way.
    flights: usize,
    flying: usize,
    /// A runner has been told to look and has not looked yet.
    called: bool,
    closed: bool,
}

impl<S: Station> Line<S> {
    pub(super) fn new(limits: GatherLimits) -> Line<S> {
        Line {
            limits,
            room: Semaphore::new(limits.waiting_max),
            state: Mutex::new(State {
                groups: VecDeque::new(),
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
    pub(super) fn enter<F>(&self, group: Group<S>) -> Result<(), NotGathered<F>> {
        let permits = self.room.try_acquire_many(self.permits(group.items.len()));
        permits
            .map_err(|refused| match refused {
                TryAcquireError::NoPermits => NotGathered::Full,
                TryAcquireError::Closed => NotGathered::Closed,
            })?
            .forget();
        if self.push(group) { Ok(()) } else { Err(NotGathered::Closed) }
    }

    /// Enters as soon as there is room; `false` if the line is closed.
    pub(super) async fn enter_when_there_is_room(&self, group: Group<S>) -> bool {
        match self.room.acquire_many(self.permits(group.items.len())).await {
            Ok(permits) => {
                permits.forget();
                self.push(group)
            }
            Err(_) => false,
        }
    }

    /// A group larger than the whole room takes all of it.
    fn permits(&self, items: usize) -> u32 {
        u32::try_from(items.min(self.limits.waiting_max)).unwrap_or(u32::MAX)
    }

    fn push(&self, group: Group<S>) -> bool {
        let mut state = self.state();
        if state.closed {
            return false;
        }
        state.waiting += group.items.len();
        state.groups.push_back(group);
        self.call(&mut state);
        true
    }

    /// Waits until a batch may start and takes it; `None` once the line is closed and empty.
    pub(super) async fn next_batch(&self) -> Option<Vec<Group<S>>> {
        loop {
            let started = self.start.notified();
            {
                let mut state = self.state();
                state.called = false;
                if state.may_start(&self.limits) {
                    return Some(self.take(&mut state));
                }
                if state.closed && state.groups.is_empty() {
                    return None;
                }
            }
            started.await;
        }
    }

    fn take(&self, state: &mut State<S>) -> Vec<Group<S>> {
        let (mut batch, mut items) = (Vec::new(), 0);
        while items < self.limits.batch_max
            && let Some(group) = state.groups.pop_front()
        {
            items += group.items.len();
            self.room.add_permits(group.items.len().min(self.limits.waiting_max));
            batch.push(group);
        }
        state.waiting -= items;
        state.flying += items;
        state.flights += 1;
        self.call(state);
        batch
    }

    /// Has somebody look, if there is something to take.
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

    /// Lets nobody in any more. What waits still goes through, if somebody takes it.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.room.close();
        self.start.notify_waiters();
    }

    /// Nobody takes batches any more: whoever waits is told so.
    pub(super) fn abandon(&self) {
        self.close();
        self.state().groups.clear();
    }

    /// Comes back when nothing waits and nothing is under way.
    pub(super) async fn quiet(&self) {
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

impl<S: Station> State<S> {
    /// The first batch starts with whatever there is, another one beside it only when it is full.
    fn may_start(&self, limits: &GatherLimits) -> bool {
        let full = self.waiting >= limits.batch_max;
        !self.groups.is_empty()
            && (self.flights == 0 || full && self.flights < limits.in_flight_max)
    }
}
