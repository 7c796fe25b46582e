//! Times in answers and on the command line: RFC 3339 in UTC, with as many digits as the time has.

use serde::Serializer;
use serde::ser::Error as _;
use time::error::Format;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// The text of a time.
///
/// # Errors
/// For a year after 9999.
pub(crate) fn format(time: OffsetDateTime) -> Result<String, Format> {
    time.to_offset(UtcOffset::UTC).format(&Rfc3339)
}

/// Serializes a time.
pub(crate) fn serialize<S: Serializer>(
    time: &OffsetDateTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*time).map_err(S::Error::custom)?)
}

/// Serializes a time, or null.
pub(crate) fn serialize_option<S: Serializer>(
    time: &Option<OffsetDateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serialize(time, serializer),
        None => serializer.serialize_none(),
    }
}
