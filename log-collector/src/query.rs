//! The query parameters of `GET /logs`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use db::logs::{Position, Query};
use service::{FieldError, parse_age};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// Default size of a page.
const LIMIT_DEFAULT: i64 = 100;
/// Largest page.
const LIMIT_MAX: i64 = 1000;

/// Reads the parameters, each at most once.
///
/// # Errors
/// All invalid parameters.
pub(crate) fn read(parameters: &[(String, String)]) -> Result<Query, Vec<FieldError>> {
    let mut query = Query { limit: LIMIT_DEFAULT, ..Query::default() };
    let (mut errors, mut seen) = (Vec::new(), Vec::new());
    let (mut since, mut cursor) = (None, None);
    for (name, value) in parameters {
        let read = if seen.contains(&name) {
            Err("must be given once".to_owned())
        } else {
            match name.as_str() {
                "requestId" => id(value).map(|id| query.request = Some(id)),
                "traceId" => id(value).map(|id| query.trace = Some(id)),
                "service" => id(value).map(|id| query.service = Some(id)),
                "orderId" => value.parse().map(|id| query.order = Some(id)).map_err(text),
                "level" => value.parse().map(|level| query.level = level),
                "limit" => limit(value).map(|limit| query.limit = limit),
                "since" => value.parse().map(|read| since = Some(read)),
                "cursor" => value.parse().map(|read| cursor = Some(read)),
                _ => Err("is not a parameter of /logs".to_owned()),
            }
        };
        seen.push(name);
        if let Err(message) = read {
            errors.push(FieldError { field: name.clone(), message });
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    match since {
        Some(Since::Time(time)) => query.after.0 = time,
        Some(Since::Ago(age)) => query.age_max = Some(age),
        None => {}
    }
    // A line behind the cursor is also behind the time at which the first page began.
    if let Some(Cursor { logged_at, instance, sequence }) = cursor {
        query.after = (logged_at, instance, sequence);
    }
    Ok(query)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// An id of a line.
fn id(text: &str) -> Result<String, String> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 128 visible ASCII characters without spaces".to_owned())
    }
}

fn limit(text: &str) -> Result<i64, String> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("must be a whole number from 1 to {LIMIT_MAX}"))
}

/// The value of `since`.
#[derive(Debug, PartialEq)]
enum Since {
    Time(OffsetDateTime),
    Ago(Duration),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Since, String> {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok();
        // Some of the last hours of the year 9999 are later than any time in UTC.
        if let Some(time) = time.and_then(|time| time.checked_to_offset(UtcOffset::UTC)) {
            return Ok(Since::Time(time));
        }
        parse_age(text).map(Since::Ago).ok_or_else(|| {
            "must be a time such as 2026-11-21T15:00:00Z, or a duration such as 90s, 15m, 2h or 7d"
                .to_owned()
        })
    }
}

/// The last line of a page. The next page begins behind it. As text: microseconds, sequence and
/// instance.
#[derive(Debug, PartialEq)]
pub(crate) struct Cursor {
    logged_at: OffsetDateTime,
    instance: String,
    sequence: i64,
}

impl From<Position> for Cursor {
    fn from((logged_at, instance, sequence): Position) -> Cursor {
        Cursor { logged_at, instance, sequence }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.logged_at.unix_timestamp_nanos() / 1000;
        write!(f, "{micros}.{}.{}", self.sequence, self.instance)
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Cursor, String> {
        let read = || {
            let mut parts = text.splitn(3, '.');
            // No line is older than 1970, and PostgreSQL does not have all older times.
            let micros: u64 = parts.next()?.parse().ok()?;
            let sequence = parts.next()?.parse().ok()?;
            let instance = id(parts.next()?).ok()?;
            let nanos = i128::from(micros) * 1000;
            let logged_at = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
            Some(Cursor { logged_at, instance, sequence })
        };
        read().ok_or_else(|| "must be nextCursor of the page before".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use db::logs::Level;

    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Query, Vec<FieldError>> {
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        read(&pairs)
    }

    #[test]
    fn every_parameter_is_read() {
        let id = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5";
        let query = of(&[
            ("requestId", "r"),
            ("traceId", "t"),
            ("service", "s"),
            ("orderId", id),
            ("level", "warn"),
            ("since", "15m"),
            ("limit", "7"),
        ])
        .unwrap();
        assert_eq!(query.order.unwrap().to_string(), id);
        assert_eq!((query.level, query.limit), (Level::Warn, 7));
        assert_eq!(query.age_max, Some(Duration::from_secs(900)));
        assert_eq!(of(&[]).unwrap().limit, LIMIT_DEFAULT);
        let time = of(&[("since", "2026-11-21T15:00:00Z")]).unwrap().after.0;
        assert_eq!(time.unix_timestamp(), 1_795_273_200);
    }

    #[test]
    fn a_page_behind_a_cursor_begins_behind_its_line() {
        let time = OffsetDateTime::from_unix_timestamp_nanos(1_795_273_200_123_456_000).unwrap();
        let instance = "my.host-1-0a".to_owned();
        let cursor = Cursor { logged_at: time, instance, sequence: 5 }.to_string();
        let after = of(&[("cursor", &cursor), ("since", "1h")]).unwrap().after;
        assert_eq!(after, (time, "my.host-1-0a".to_owned(), 5));
    }

    #[test]
    fn every_invalid_parameter_is_listed() {
        let wrong = [
            ("requestId", "a b"),
            ("traceId", ""),
            ("orderId", "7"),
            ("level", "loud"),
            ("since", "soon"),
            ("limit", "1001"),
            ("cursor", "1.2"),
            ("nothing", "x"),
            ("limit", "5"),
        ];
        let errors = of(&wrong).unwrap_err();
        let named: Vec<&str> = errors.iter().map(|error| &*error.field).collect();
        assert_eq!(named, wrong.map(|(name, _)| name));
        // The year 10000 in UTC, which no time here can be.
        assert!(of(&[("since", "9999-12-31T23:59:59-00:01")]).is_err());
        // A time that PostgreSQL does not have.
        assert!(of(&[("cursor", "-377705116800000000.1.a")]).is_err());
        for since in ["1", "m", "-1m", "+1m", "1w", "99999999999999999999d", "3661d", "ä", "1ä"] {
            assert!(of(&[("since", since)]).is_err(), "{since}");
        }
    }
}
