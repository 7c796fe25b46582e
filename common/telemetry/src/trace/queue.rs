use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::EndedSpan;
use super::export::REQUEST_MAX;

/// How many spans may wait to be taken out; what ends while that many wait is dropped. About 600
/// bytes each.
const WAITING_MAX: usize = 4096;

/// Spans that have ended and not left. All room there is to be is taken once.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<VecDeque<EndedSpan>>,
    arrived: Notify,
    enough: Notify,
}

impl Queue {
    pub(super) fn new() -> Queue {
        let waiting = Mutex::new(VecDeque::with_capacity(WAITING_MAX));
        Queue { waiting, arrived: Notify::new(), enough: Notify::new() }
    }

    /// Takes one in, if there is room. Waits for nobody but for who puts one in or swaps.
    pub(super) fn offer(&self, record: EndedSpan) -> bool {
        let mut waiting = self.waiting();
        let fits = waiting.len() < WAITING_MAX;
        if fits {
            waiting.push_back(record);
        }
        let now_waiting = waiting.len();
        drop(waiting);
        match now_waiting {
            1 if fits => self.arrived.notify_one(),
            REQUEST_MAX if fits => self.enough.notify_one(),
            _ => {}
        }
        fits
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting().len()
    }

    /// Takes all out, for the room that an empty `taken` brings.
    pub(super) fn take_all(&self, taken: &mut VecDeque<EndedSpan>) {
        taken.reserve(WAITING_MAX);
        std::mem::swap(&mut *self.waiting(), taken);
    }

    /// Comes back once something has arrived since the queue was empty.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Comes back once a whole request's worth has come to wait.
    pub(super) async fn enough(&self) {
        self.enough.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<EndedSpan>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::super::{SpanRecord, now, root};
    use super::*;

    #[test]
    fn a_pause_need_not_last_until_there_is_no_room() {
        let queue = Queue::new();
        let record = || EndedSpan {
            span: root(),
            ended: now(),
            record: SpanRecord::done("x"),
            links: vec![],
        };
        assert!((1..REQUEST_MAX).all(|_| queue.offer(record())));
        assert!(queue.enough().now_or_never().is_none());
        assert!(queue.offer(record()));
        assert!(queue.enough().now_or_never().is_some());
    }
}
