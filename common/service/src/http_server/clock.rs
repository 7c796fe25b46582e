//! The time that a client may take.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::open_requests::OpenRequests;

/// Time in which a client that leaves answers unread must read [`UNREAD_MIN`].
const UNREAD_WINDOW: Duration = Duration::from_secs(60);
/// Bytes that such a client must read in that time: about 2 kB a second.
const UNREAD_MIN: usize = 128 * 1024;
/// Time of free flow after which a client counts as fast again.
const FLOWING: Duration = Duration::from_secs(1);
/// Time by which these limits exceed those of actix-http, which come first where both apply.
const GRACE: Duration = Duration::from_secs(1);

/// Limits of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionLimits {
    /// From the first byte of a request until its handler begins.
    head: Duration,
    /// Without a byte in either direction.
    idle: Duration,
}

impl ConnectionLimits {
    pub(super) fn new(head: Duration, keep_alive: Duration) -> ConnectionLimits {
        ConnectionLimits { head: head + GRACE, idle: keep_alive + GRACE }
    }
}

/// The clock of one connection. Three waits are bounded: for the rest of a request's head, for the
/// next request, and for the client to read an answer. A handler's own waits are its own.
#[derive(Debug)]
pub(super) struct ConnectionClock {
    limits: ConnectionLimits,
    timer: Pin<Box<Sleep>>,
    /// Arrival of the first byte behind the last answer.
    head_since: Option<Instant>,
    /// The last byte in either direction.
    active: Instant,
    blocked: bool,
    unread: Unread,
}

/// The window of a client that does not read as fast as it is answered.
#[derive(Debug)]
struct Unread {
    since: Instant,
    taken: usize,
    /// The last time that the client began to read again.
    resumed: Instant,
}

impl Unread {
    fn since(now: Instant) -> Unread {
        Unread { since: now, taken: 0, resumed: now }
    }
}

impl ConnectionClock {
    pub(super) fn new(limits: ConnectionLimits) -> ConnectionClock {
        let now = Instant::now();
        ConnectionClock {
            limits,
            timer: Box::pin(sleep_until(now + limits.idle)),
            head_since: None,
            active: now,
            blocked: false,
            unread: Unread::since(now),
        }
    }

    /// Notes that bytes arrived.
    pub(super) fn received(&mut self) {
        self.active = Instant::now();
        self.head_since.get_or_insert(self.active);
    }

    /// Notes that the client's side accepted bytes.
    pub(super) fn sent(&mut self, count: usize) {
        self.active = Instant::now();
        self.head_since = None;
        if self.blocked {
            self.blocked = false;
            self.unread.resumed = self.active;
        }
        self.unread.taken = self.unread.taken.saturating_add(count);
    }

    /// Notes that the client's side accepts no more bytes.
    pub(super) fn blocked(&mut self) {
        if self.blocked {
            return;
        }
        self.blocked = true;
        let now = Instant::now();
        if now >= self.unread.resumed + FLOWING {
            self.unread = Unread::since(now);
        }
    }

    /// Waits until a limit is reached. The task wakes up then.
    pub(super) fn check(
        &mut self,
        context: &mut Context<'_>,
        open: &OpenRequests,
    ) -> Poll<io::Error> {
        loop {
            let deadline = self.deadline(open);
            if let Some(deadline) = deadline
                && deadline < self.timer.deadline()
            {
                self.timer.as_mut().reset(deadline);
            }
            ready!(self.timer.as_mut().poll(context));
            let now = Instant::now();
            match deadline {
                Some(deadline) if deadline <= now => {
                    if !self.reads_on(now) {
                        return Poll::Ready(io::ErrorKind::TimedOut.into());
                    }
                }
                Some(deadline) => self.timer.as_mut().reset(deadline),
                None => self.timer.as_mut().reset(now + self.limits.head),
            }
        }
    }

    /// The end of the present wait; `None` while a handler works.
    fn deadline(&self, open: &OpenRequests) -> Option<Instant> {
        match self.head_since {
            _ if self.blocked => Some(self.unread.since + UNREAD_WINDOW),
            _ if open.any() => None,
            Some(since) => Some(since + self.limits.head),
            None => Some(self.active + self.limits.idle),
        }
    }

    /// Returns true if a slow reader has read enough for another window, which begins.
    fn reads_on(&mut self, now: Instant) -> bool {
        let goes_on = self.blocked && self.unread.taken >= UNREAD_MIN;
        self.unread = Unread::since(now);
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const KEEP_ALIVE: Duration = Duration::from_secs(75);
    const HEAD: Duration = Duration::from_secs(5);

    fn clock() -> ConnectionClock {
        ConnectionClock::new(ConnectionLimits::new(HEAD, KEEP_ALIVE))
    }

    /// Seconds until the connection ends.
    async fn ends_after(clock: &mut ConnectionClock, open: &OpenRequests) -> u64 {
        let start = Instant::now();
        let error = poll_fn(|context| clock.check(context, open)).await;
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        start.elapsed().as_secs()
    }

    async fn lives_for(clock: &mut ConnectionClock, open: &OpenRequests, time: Duration) {
        let end = poll_fn(|context| clock.check(context, open));
        assert!(tokio::time::timeout(time, end).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_ends_after_the_keep_alive_time() {
        assert_eq!(ends_after(&mut clock(), &OpenRequests::default()).await, 76);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_stops_halfway_ends_the_connection_also_behind_an_answer() {
        let (mut clock, open) = (clock(), OpenRequests::default());
        clock.received();
        clock.sent(100);
        lives_for(&mut clock, &open, Duration::from_secs(30)).await;
        clock.received();
        assert_eq!(ends_after(&mut clock, &open).await, 6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_may_work_for_as_long_as_it_likes() {
        let (mut clock, open) = (clock(), OpenRequests::default());
        clock.received();
        let working = open.start();
        lives_for(&mut clock, &open, Duration::from_secs(3600)).await;
        drop(working);
        clock.sent(100);
        lives_for(&mut clock, &open, KEEP_ALIVE).await;
    }

    /// Seconds after which a client is left that reads this many bytes a second of what waits.
    async fn left_after(rate: usize) -> Option<u64> {
        let (mut clock, open) = (clock(), OpenRequests::default());
        for second in 0..600 {
            clock.sent(rate);
            clock.blocked();
            let check = poll_fn(|context| Poll::Ready(clock.check(context, &open).is_ready()));
            if check.await {
                return Some(second);
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_left_after_a_minute_and_a_steady_one_is_not() {
        assert_eq!(left_after(1000).await, Some(60));
        assert_eq!(left_after(4000).await, None);
    }
}
