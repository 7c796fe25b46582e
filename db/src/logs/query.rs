use std::time::Duration;

use domain::OrderId;
use time::OffsetDateTime;

use super::entry::{Entry, Level, entry_from_row};
use crate::{Db, Error};

/// Filter and size of a page of lines, oldest first. A line has to match every filter that is set.
#[derive(Clone, Debug)]
pub struct Query {
    /// Only lines after this position: time, instance and sequence.
    pub after: (OffsetDateTime, String, i64),
    /// Only lines of at most this age, by the database's clock.
    pub age_max: Option<Duration>,
    /// Only lines of this level and above.
    pub level: Level,
    /// Only lines of this program.
    pub service: Option<String>,
    /// Only lines about this order.
    pub order: Option<OrderId>,
    /// Only lines about this HTTP request.
    pub request: Option<String>,
    /// Only lines about this trace.
    pub trace: Option<String>,
    /// Maximum number of lines.
    pub limit: i64,
}

impl Default for Query {
    fn default() -> Query {
        Query {
            after: (OffsetDateTime::UNIX_EPOCH, String::new(), -1),
            age_max: None,
            level: Level::Trace,
            service: None,
            order: None,
            request: None,
            trace: None,
            limit: 100,
        }
    }
}

// The lower bound of time is part of the row comparison as well, so that a scan of the index begins
// there.
//
// A generic plan has to be right for every value, so each way to find lines has a statement of its
// own. Lines with an id are found by the index of ids and sorted afterwards: a scan in the order of
// time, which hopes to meet enough of them soon, might read the whole table. `materialized` rules
// that scan out.
macro_rules! read_lines {
    ($found_by:literal) => {
        concat!(
            "with found as materialized (
                select * from logs.log_entries where ",
            $found_by,
            "      and logged_at >= greatest($1, now() - $4::float8 * interval '1 second'))",
            read_lines!(@filter "found")
        )
    };
    (@filter $from:literal) => {
        concat!(
            "select logged_at, instance, sequence, service, level::text as level, target, message,
                    order_ids, request_ids, trace_ids, fields::text as fields
               from ",
            $from,
            " where logged_at >= greatest($1::timestamptz, now() - $4::float8 * interval '1 second')
                and (logged_at, instance, sequence) >
                    (greatest($1, now() - $4 * interval '1 second'), $2::text, $3::bigint)
                and level >= $5::text::logs.level
                and ($6::text is null or service = $6)
                and ($7::uuid is null or order_ids @> array[$7])
                and ($8::text is null or request_ids @> array[$8])
                and ($9::text is null or trace_ids @> array[$9])
              order by logged_at, instance, sequence
              limit $10"
        )
    };
}

const READ: &str = read_lines!(@filter "logs.log_entries");
const READ_BAD: &str =
    read_lines!(@filter "(select * from logs.log_entries where level >= 'WARN') b");
const READ_OF_ORDER: &str = read_lines!("order_ids @> array[$7::uuid]");
const READ_OF_REQUEST: &str = read_lines!("request_ids @> array[$8::text]");
const READ_OF_TRACE: &str = read_lines!("trace_ids @> array[$9::text]");

/// Returns the lines that match `query`, oldest first.
pub async fn read(db: &Db, query: &Query) -> Result<Vec<Entry>, Error> {
    let statement = match query {
        Query { order: Some(_), .. } => READ_OF_ORDER,
        Query { request: Some(_), .. } => READ_OF_REQUEST,
        Query { trace: Some(_), .. } => READ_OF_TRACE,
        Query { level: Level::Warn | Level::Error, .. } => READ_BAD,
        Query { .. } => READ,
    };
    let (time, instance, sequence) = &query.after;
    let rows = db
        .query(
            statement,
            &[
                time,
                instance,
                sequence,
                &query.age_max.map(|age| age.as_secs_f64()),
                &query.level.as_str(),
                &query.service,
                &query.order.map(|id| id.0),
                &query.request,
                &query.trace,
                &query.limit,
            ],
        )
        .await?;
    rows.iter().map(entry_from_row).collect()
}
