use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const MICROSECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// The time by the clock of this process, as RFC 3339 to the microsecond; for log lines only.
pub(crate) fn now_text() -> String {
    #[expect(clippy::disallowed_methods, reason = "a log line carries the time of its process")]
    let now = SystemTime::now();
    OffsetDateTime::from(now).format(MICROSECONDS).unwrap_or_default()
}
