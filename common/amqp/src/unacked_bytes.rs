//! The bytes of a consumer's unacked messages, bounded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

/// Interval between two looks at the room.
const CHECK_EVERY: Duration = Duration::from_millis(100);

/// The bytes of the bodies that have arrived on a connection and are not handled yet. Clones share
/// them.
///
/// AMQP 0-9-1 bounds deliveries by number only (RabbitMQ has no `prefetch_size`), so the bound is
/// the socket: a body that would exceed it is not read before others are handled.
#[derive(Clone, Debug)]
pub(crate) struct UnackedBytes {
    max: u64,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    bytes: u64,
    /// The largest body so far.
    largest: u64,
    waits: Option<Wait>,
    ended: bool,
}

/// A reader that waits for room.
#[derive(Debug)]
struct Wait {
    since: Instant,
    waker: Waker,
}

/// The answer to a body that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// There is room: read it.
    Admitted,
    /// There is no room now; the waker is called when it may be tried again.
    Waits,
    /// The connection is given up.
    Ended,
}

/// The room of one body, given back on drop.
#[derive(Debug)]
pub(crate) struct HeldBytes {
    bytes: UnackedBytes,
    size: u64,
}

impl UnackedBytes {
    /// Room for `max` bytes, or for a single body of any size.
    pub(crate) fn new(max: u64) -> UnackedBytes {
        UnackedBytes { max, state: Arc::default() }
    }

    /// Takes room for a body of `size` bytes.
    pub(crate) fn admit(&self, size: u64, waker: &Waker) -> Admission {
        let mut state = self.state();
        if state.ended {
            return Admission::Ended;
        }
        state.largest = state.largest.max(size);
        if state.bytes > 0 && state.bytes.saturating_add(size) > self.max {
            let since = state.waits.as_ref().map_or_else(Instant::now, |wait| wait.since);
            state.waits = Some(Wait { since, waker: waker.clone() });
            return Admission::Waits;
        }
        state.bytes = state.bytes.saturating_add(size);
        state.waits = None;
        Admission::Admitted
    }

    /// The room of an admitted body of `size` bytes.
    pub(crate) fn held(&self, size: usize) -> HeldBytes {
        HeldBytes { bytes: self.clone(), size: u64::try_from(size).unwrap_or(u64::MAX) }
    }

    /// Time for which the connection has not been read because there is no room.
    pub(crate) fn waiting_for(&self) -> Duration {
        self.state().waits.as_ref().map_or(Duration::ZERO, |wait| wait.since.elapsed())
    }

    /// Number of messages, `most` at most, that fit if all are as large as the largest one so far.
    pub(crate) fn messages_that_fit(&self, most: u16) -> u16 {
        let largest = self.state().largest.max(1);
        u16::try_from(self.max / largest).unwrap_or(u16::MAX).clamp(1, most)
    }

    /// Waits until the connection is not read because there is no room.
    pub(crate) async fn exhausted(&self) {
        while self.state().waits.is_none() {
            tokio::time::sleep(CHECK_EVERY).await;
        }
    }

    /// Forgets the sizes of the bodies so far.
    pub(crate) fn forget_largest(&self) {
        self.state().largest = 0;
    }

    /// Lets the reader fail instead of waiting.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        wake(&mut state);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        let mut state = self.bytes.state();
        state.bytes = state.bytes.saturating_sub(self.size);
        wake(&mut state);
    }
}

fn wake(state: &mut State) {
    if let Some(wait) = &state.waits {
        wait.waker.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_waits_while_others_take_the_room_unless_it_is_alone() {
        let bytes = UnackedBytes::new(10);
        let waker = Waker::noop();
        assert_eq!(bytes.admit(6, waker), Admission::Admitted);
        assert_eq!(bytes.admit(5, waker), Admission::Waits);
        assert!(bytes.waiting_for() > Duration::ZERO);
        drop(bytes.held(6));
        assert_eq!(bytes.admit(50, waker), Admission::Admitted);
        assert_eq!(bytes.waiting_for(), Duration::ZERO);
        assert_eq!(bytes.admit(1, waker), Admission::Waits);
        assert_eq!(bytes.messages_that_fit(9), 1);
        bytes.end();
        assert_eq!(bytes.admit(1, waker), Admission::Ended);
    }

    #[test]
    fn as_many_messages_fit_as_the_largest_one_allows() {
        let bytes = UnackedBytes::new(100);
        assert_eq!(bytes.messages_that_fit(500), 100);
        bytes.admit(10, Waker::noop());
        assert_eq!((bytes.messages_that_fit(500), bytes.messages_that_fit(3)), (10, 3));
    }
}
