//! Waiting for a condition, never for an amount of time.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

/// Between two looks. Short against anything waited for, long against the cost of one look.
const PAUSE: Duration = Duration::from_millis(20);

/// What one look found: the value waited for, or why it is not there yet.
pub trait Look {
    /// What waiting yields.
    type Value;

    /// The value, or what was seen instead.
    fn found(self) -> Result<Self::Value, String>;
}

impl Look for bool {
    type Value = ();

    fn found(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".into()) }
    }
}

impl<T> Look for Option<T> {
    type Value = T;

    fn found(self) -> Result<T, String> {
        self.ok_or_else(|| "none".into())
    }
}

impl<T, E: Debug> Look for Result<T, E> {
    type Value = T;

    fn found(self) -> Result<T, String> {
        self.map_err(|seen| without_backtrace(format!("{seen:?}")))
    }
}

/// A look is taken a hundred times; where from is no news.
fn without_backtrace(mut seen: String) -> String {
    seen.truncate(seen.find("\n\nStack backtrace:").unwrap_or(seen.len()));
    seen
}

/// The deadline passed first.
#[derive(Debug, thiserror::Error)]
#[error("waited {waited:?} for {what}; last seen: {last_seen}")]
pub struct NotSeen {
    /// What was waited for.
    pub what: String,
    /// How long.
    pub waited: Duration,
    /// What the last finished look found instead.
    pub last_seen: String,
}

/// Looks until the look finds it, at most for `deadline`; a look that hangs is cut off by the
/// deadline too. Panics with [`NotSeen`]'s words if it never does. A look may answer with a
/// `bool`, an `Option`, or a `Result` whose error says what was seen instead.
pub async fn eventually<L: Look>(
    what: &str,
    deadline: Duration,
    look: impl AsyncFnMut() -> L,
) -> L::Value {
    match wait_for(what, deadline, look).await {
        Ok(value) => value,
        Err(not_seen) => panic!("{not_seen}"),
    }
}

/// [`eventually`] for code that has something better to do than to panic.
pub async fn wait_for<L: Look>(
    what: &str,
    deadline: Duration,
    mut look: impl AsyncFnMut() -> L,
) -> Result<L::Value, NotSeen> {
    let started = Instant::now();
    let mut last_seen = "nothing, the first look did not end".to_owned();
    loop {
        let left = deadline.saturating_sub(started.elapsed());
        match timeout(left, look()).await.map(Look::found) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(seen)) if started.elapsed() < deadline => last_seen = seen,
            Ok(Err(seen)) => return Err(not_seen(what, deadline, seen)),
            Err(_) => return Err(not_seen(what, deadline, last_seen)),
        }
        sleep(PAUSE).await;
    }
}

fn not_seen(what: &str, waited: Duration, last_seen: String) -> NotSeen {
    NotSeen { what: what.to_owned(), waited, last_seen }
}
