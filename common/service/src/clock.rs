use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 by the clock of this process: for message timestamps only, which AMQP defines
/// as the sender's. The database stamps every time that a decision depends on.
pub fn unix_seconds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a message's timestamp is its sender's (AMQP)")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
