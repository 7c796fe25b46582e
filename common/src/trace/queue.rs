use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Record;

/// How many spans may wait to be taken out; what ends while that many wait is dropped. About 600
/// bytes each.
const WAITING_MAX: usize = 4096;

/// Spans that have ended and not left. All room there is to be is taken once.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<VecDeque<Record>>,
    arrived: Notify,
}

impl Queue {
    pub(super) fn new() -> Queue {
        let waiting = Mutex::new(VecDeque::with_capacity(WAITING_MAX));
        Queue { waiting, arrived: Notify::new() }
    }

    /// Takes one in, if there is room. Waits for nobody but for who puts one in or swaps.
    pub(super) fn offer(&self, record: Record) -> bool {
        let mut waiting = self.waiting();
        let fits = waiting.len() < WAITING_MAX;
        if fits {
            waiting.push_back(record);
        }
        let first = waiting.len() == 1;
        drop(waiting);
        if fits && first {
            self.arrived.notify_one();
        }
        fits
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting().len()
    }

    /// Takes all out, for the room that an empty `taken` brings.
    pub(super) fn take_all(&self, taken: &mut VecDeque<Record>) {
        taken.reserve(WAITING_MAX);
        std::mem::swap(&mut *self.waiting(), taken);
    }

    /// Comes back once something has arrived since the queue was empty.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Record>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
