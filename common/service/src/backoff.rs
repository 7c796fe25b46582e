//! The delay before another try: it grows up to a cap, and part of it is random, so that the
//! processes that lost the same server do not return in step.

use std::time::Duration;

use rand::Rng;
use rand::RngExt as _;

/// Doubling delays with full jitter over their upper half
/// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>, "equal jitter").
/// The number of tries has no bound.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    first: Duration,
    cap: Duration,
}

impl Backoff {
    /// Delays from `first`, doubling up to `cap`.
    pub fn new(first: Duration, cap: Duration) -> Backoff {
        Backoff { next: first, first, cap }
    }

    /// Delays for a server that is unavailable: 50 ms to 1 s, so that a process notices its return
    /// within a second.
    pub fn for_server() -> Backoff {
        Backoff::new(Duration::from_millis(50), Duration::from_secs(1))
    }

    /// The delay before the next try: one half is fixed, the other half is random.
    pub fn next(&mut self, rng: &mut impl Rng) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.cap);
        whole.mul_f64(rng.random_range(0.5..=1.0))
    }

    /// Waits for [`Backoff::next`].
    pub async fn wait(&mut self) {
        let delay = self.next(&mut rand::rng());
        tokio::time::sleep(delay).await;
    }

    /// Returns to the first delay, after a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn delays_grow_to_the_cap_and_stay_within_their_upper_half() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(1000));
        for whole in [100, 200, 400, 800, 1000, 1000, 1000] {
            let delay = backoff.next(&mut rng);
            assert!(delay >= Duration::from_millis(whole / 2), "{delay:?} of {whole} ms");
            assert!(delay <= Duration::from_millis(whole), "{delay:?} of {whole} ms");
        }
        backoff.reset();
        assert!(backoff.next(&mut rng) <= Duration::from_millis(100));
    }
}
