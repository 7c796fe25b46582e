//! Times in bodies, in log lines and on terminals: RFC 3339 in UTC with exactly six fractional digits.

use serde::Serializer;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

const MICROSECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// Returns the text of a time. Every text has the same length, so texts sort as their times do.
pub fn format(time: OffsetDateTime) -> String {
    let utc = time.checked_to_offset(UtcOffset::UTC).unwrap_or(time);
    #[expect(clippy::disallowed_methods, reason = "the one place that writes a time")]
    let text = utc.format(MICROSECONDS);
    text.unwrap_or_default()
}

/// Serializes a time.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*time))
}

/// Serializes a time, or null.
///
/// # Errors
/// Those of the serializer.
pub fn serialize_option<S: Serializer>(
    time: &Option<OffsetDateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serialize(time, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_six_fractional_digits() {
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (100_000_000, "1970-01-01T00:00:00.100000Z"),
            (123_456_000, "1970-01-01T00:00:00.123456Z"),
            (123_450_000, "1970-01-01T00:00:00.123450Z"),
            (1_795_273_200_000_000_999, "2026-11-21T15:00:00.000000Z"),
        ] {
            let time = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap();
            assert_eq!(format(time), text);
            let elsewhere = time.to_offset(UtcOffset::from_hms(5, 30, 0).unwrap());
            assert_eq!(format(elsewhere), text);
        }
    }
}
