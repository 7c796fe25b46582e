use std::time::Duration;

use domain::OrderId;
use time::OffsetDateTime;
use tokio_postgres::Row;

use super::entry::{Entry, Level, entry_from_row};
use crate::listed::Columns;
use crate::unreadable::Table;
use crate::{Db, Error, Listed};

/// Largest number of lines that a page visits, unless it asks for lines with an id.
const VISITED_MAX: i64 = 20_000;

/// The place of a line in the order of lines: time, instance and sequence.
pub type Position = (OffsetDateTime, String, i64);

/// Filter and size of a page of lines, oldest first. A line has to match every filter that is set.
#[derive(Clone, Debug)]
pub struct Query {
    /// Only lines after this position.
    pub after: Position,
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
macro_rules! after_cursor {
    () => {
        "logged_at >= greatest($1::timestamptz, now() - $4::float8 * interval '1 second')
         and (logged_at, instance, sequence) >
             (greatest($1, now() - $4 * interval '1 second'), $2::text, $3::bigint)"
    };
}

// One walk through lines, oldest first: it visits up to `$11` lines behind the cursor and finds up to
// `$10` among them. A page that is not full says at which line the walk ended; null: there are no more.
macro_rules! walk {
    ($lines:expr) => {
        concat!(
            "with found as materialized (
                select logged_at, instance, sequence, service, level::text as level, target, message,
                       order_ids, request_ids, trace_ids, fields::text as fields
                  from (",
            $lines,
            "           order by logged_at, instance, sequence limit $11) v
                 where level >= $5::text::logs.level
                   and ($6::text is null or service = $6)
                   and ($7::uuid is null or order_ids @> array[$7])
                   and ($8::text is null or request_ids @> array[$8])
                   and ($9::text is null or trace_ids @> array[$9])
                 limit $10
            ), ended as (
                select logged_at, instance, sequence from (",
            $lines,
            "           order by logged_at, instance, sequence offset $11 - 1 limit 1) v
                 where (select count(*) from found) < $10
            )
            select found.*, ended.logged_at as ended_at, ended.instance as ended_instance,
                   ended.sequence as ended_sequence
              from (select 1 from generate_series(1, 1)) one
              left join ended on true left join found on true
             order by found.logged_at, found.instance, found.sequence"
        )
    };
}

// A generic plan has to be right for every value, so each way to find lines has a statement of its
// own. Lines with an id are found by the index of ids and sorted afterwards: a scan in the order of
// time, which hopes to meet enough of them soon, might read the whole table. `materialized` rules
// that scan out.
macro_rules! with_id {
    ($found_by:literal) => {
        concat!(
            "with of_id as materialized (
                select * from logs.log_entries where ",
            $found_by,
            "      and logged_at >= greatest($1, now() - $4::float8 * interval '1 second'))
            select * from of_id where ",
            after_cursor!()
        )
    };
}

const READ: &str = walk!(concat!("select * from logs.log_entries where ", after_cursor!()));
const READ_BAD: &str =
    walk!(concat!("select * from logs.log_entries where level >= 'WARN' and ", after_cursor!()));
const READ_OF_ORDER: &str = walk!(with_id!("order_ids @> array[$7::uuid]"));
const READ_OF_REQUEST: &str = walk!(with_id!("request_ids @> array[$8::text]"));
const READ_OF_TRACE: &str = walk!(with_id!("trace_ids @> array[$9::text]"));

/// Returns the lines that match `query`, oldest first. A page visits at most 20,000 lines, and may
/// therefore be shorter than its limit and still have a next page. (Of the lines with one id, all are
/// read.)
pub async fn read(db: &Db, query: &Query) -> Result<Listed<Entry, Position>, Error> {
    let statement = match query {
        Query { order: Some(_), .. } => READ_OF_ORDER,
        Query { request: Some(_), .. } => READ_OF_REQUEST,
        Query { trace: Some(_), .. } => READ_OF_TRACE,
        Query { level: Level::Warn | Level::Error, .. } => READ_BAD,
        Query { .. } => READ,
    };
    let (time, instance, sequence) = &query.after;
    let one_more = query.limit.saturating_add(1);
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
                &one_more,
                &VISITED_MAX,
            ],
        )
        .await?;
    let ended = rows.first().and_then(|row| position_from_row(row, &ENDED));
    // A walk that found nothing is one row of nulls.
    let found: Vec<Row> =
        rows.into_iter().filter(|row| position_from_row(row, &KEY).is_some()).collect();
    let id = |row: &Row| position_from_row(row, &KEY).ok_or_else(no_position);
    let page =
        Listed::page(Table::LogEntries, &found, query.limit, Columns { row: entry_from_row, id });
    let next = page.next.or(ended);
    Ok(Listed { next, ..page })
}

const KEY: [&str; 3] = ["logged_at", "instance", "sequence"];
const ENDED: [&str; 3] = ["ended_at", "ended_instance", "ended_sequence"];

fn position_from_row(row: &Row, [time, instance, sequence]: &[&str; 3]) -> Option<Position> {
    let instance = row.try_get(instance).ok()?;
    Some((row.try_get(time).ok()?, instance, row.try_get(sequence).ok()?))
}

fn no_position() -> Error {
    Error::Refused("a line has no position".to_owned())
}
