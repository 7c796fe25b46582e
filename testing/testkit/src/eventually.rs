//! Waiting for a condition, never for an amount of time.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

/// Interval between two observations: short compared with any wait, long compared with the cost of
/// an observation.
const INTERVAL: Duration = Duration::from_millis(20);

/// The result of one observation: the value waited for, or a description of the present state.
pub trait Observation {
    /// The value waited for.
    type Value;

    /// Returns the value, or a description of the present state.
    fn found(self) -> Result<Self::Value, String>;
}

impl Observation for bool {
    type Value = ();

    fn found(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".into()) }
    }
}

impl<T> Observation for Option<T> {
    type Value = T;

    fn found(self) -> Result<T, String> {
        self.ok_or_else(|| "none".into())
    }
}

impl<T, E: Debug> Observation for Result<T, E> {
    type Value = T;

    fn found(self) -> Result<T, String> {
        self.map_err(|seen| without_backtrace(format!("{seen:?}")))
    }
}

/// Cuts off the backtrace, which is the same for each of a hundred observations.
fn without_backtrace(mut seen: String) -> String {
    seen.truncate(seen.find("\n\nStack backtrace:").unwrap_or(seen.len()));
    seen
}

/// The deadline passed before the condition held.
#[derive(Debug, thiserror::Error)]
#[error("waited {waited:?} for {what}; last seen: {last_seen}")]
pub struct WaitTimeout {
    /// The condition.
    pub what: String,
    /// The deadline.
    pub waited: Duration,
    /// The last observation.
    pub last_seen: String,
}

/// Waits until `observe` returns the value. `observe` returns a `bool`, an `Option`, or a `Result`
/// whose error describes the present state. An observation that hangs is cut off at the deadline.
/// Panics with [`WaitTimeout`] if the deadline passes first.
pub async fn eventually<O: Observation>(
    what: &str,
    deadline: Duration,
    observe: impl AsyncFnMut() -> O,
) -> O::Value {
    match wait_for(what, deadline, observe).await {
        Ok(value) => value,
        Err(timed_out) => panic!("{timed_out}"),
    }
}

/// [`eventually`], with an error instead of a panic.
pub async fn wait_for<O: Observation>(
    what: &str,
    deadline: Duration,
    mut observe: impl AsyncFnMut() -> O,
) -> Result<O::Value, WaitTimeout> {
    let started = Instant::now();
    let mut last_seen = "nothing, the first observation did not end".to_owned();
    loop {
        let left = deadline.saturating_sub(started.elapsed());
        match timeout(left, observe()).await.map(Observation::found) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(seen)) if started.elapsed() < deadline => last_seen = seen,
            Ok(Err(seen)) => return Err(timed_out(what, deadline, seen)),
            Err(_) => return Err(timed_out(what, deadline, last_seen)),
        }
        sleep(INTERVAL).await;
    }
}

fn timed_out(what: &str, waited: Duration, last_seen: String) -> WaitTimeout {
    WaitTimeout { what: what.to_owned(), waited, last_seen }
}
