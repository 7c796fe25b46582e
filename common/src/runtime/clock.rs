use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const MICROSECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// The time by this process's clock as RFC 3339 to the microsecond: for log lines only, which say
/// when a process saw something.
pub(super) fn now_text() -> String {
    #[expect(clippy::disallowed_methods, reason = "a log line's time is that of who wrote it")]
    let now = SystemTime::now();
    OffsetDateTime::from(now).format(MICROSECONDS).unwrap_or_default()
}

/// Seconds since 1970 by this process's clock: for message timestamps only, which AMQP defines
/// as the sender's. What the system decides by is stamped by the database.
pub fn unix_seconds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a message's timestamp is its sender's (AMQP)")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
