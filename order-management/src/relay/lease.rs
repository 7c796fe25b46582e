//! The time in which an outbox row belongs to this process.

use std::time::{Duration, Instant};

/// The time in which an outbox row belongs to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    until: Instant,
    length: Duration,
}

impl Lease {
    /// A lease that begins now.
    pub(super) fn of(length: Duration) -> Lease {
        Lease { until: Instant::now() + length, length }
    }

    /// The length of the lease, as the outbox row notes it.
    pub(crate) fn length(self) -> Duration {
        self.length
    }

    /// The row belongs to this process at `now`.
    pub(super) fn holds_at(self, now: Instant) -> bool {
        self.until > now
    }
}
