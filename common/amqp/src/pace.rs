//! The number of messages that are published together, by the time that their confirms take.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Largest number of messages in a part of a batch. It halves when confirms take more than half of their
/// timeout, and doubles again when they take less than an eighth.
#[derive(Debug)]
pub(crate) struct Pace {
    part_max: AtomicUsize,
    limit: usize,
}

impl Pace {
    /// Begins at `limit`, and never exceeds it.
    pub(crate) fn new(limit: usize) -> Pace {
        Pace { part_max: AtomicUsize::new(limit), limit }
    }

    /// The size of the next part, at least 1.
    pub(crate) fn part_max(&self) -> usize {
        self.part_max.load(Ordering::Relaxed)
    }

    /// Notes the time in which a part of `messages` was confirmed, or not.
    pub(crate) fn took(&self, messages: usize, took: Duration, timeout: Duration) {
        let size = self.part_max();
        let next = if took > timeout / 2 {
            messages.min(size) / 2
        } else if took < timeout / 8 {
            size.saturating_mul(2)
        } else {
            size
        };
        self.part_max.store(next.clamp(1, self.limit), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_part_makes_the_next_ones_smaller_and_quick_ones_make_them_larger_again() {
        let timeout = Duration::from_secs(10);
        let pace = Pace::new(500);
        assert_eq!(pace.part_max(), 500);
        pace.took(300, timeout, timeout);
        assert_eq!(pace.part_max(), 150);
        pace.took(150, Duration::from_secs(4), timeout);
        assert_eq!(pace.part_max(), 150);
        for _ in 0..20 {
            pace.took(pace.part_max(), timeout, timeout);
        }
        assert_eq!(pace.part_max(), 1);
        for _ in 0..20 {
            pace.took(pace.part_max(), Duration::from_millis(10), timeout);
        }
        assert_eq!(pace.part_max(), 500);
    }
}
