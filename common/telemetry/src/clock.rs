use std::time::SystemTime;

use time::OffsetDateTime;

/// The time by the clock of this process, as RFC 3339 to the microsecond; for log lines only.
pub(crate) fn now_text() -> String {
    #[expect(clippy::disallowed_methods, reason = "a log line carries the time of its process")]
    let now = SystemTime::now();
    domain::rfc3339::format(OffsetDateTime::from(now))
}
