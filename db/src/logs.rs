//! Log lines of all processes, a table for each day.

use domain::OrderId;
use time::{Date, OffsetDateTime};
use tokio_postgres::Row;

use super::row::{column, parsed};
use super::{Db, Error};

pub use query::{Query, read};

mod query;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// What happens.
    Info,
    /// What should not last.
    Warn,
    /// What should not be.
    Error,
}

impl Level {
    /// As it is stored and told.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "TRACE",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        }
    }
}

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        let all = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];
        let found = all.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| "must be trace, debug, info, warn or error".to_owned())
    }
}

/// One line. None of its texts may have a NUL in it, and none of the request and trace ids a line
/// feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was written, by the clock of who wrote it.
    pub logged_at: OffsetDateTime,
    /// Which process wrote it.
    pub instance: String,
    /// The how manieth line of that process it is.
    pub sequence: i64,
    /// Which program.
    pub service: String,
    /// How bad it is.
    pub level: Level,
    /// Which part of the program.
    pub target: String,
    /// What it says.
    pub message: String,
    /// The orders it is about.
    pub order_ids: Vec<OrderId>,
    /// The requests it is about.
    pub request_ids: Vec<String>,
    /// The traces it is about.
    pub trace_ids: Vec<String>,
    /// Everything else in it, as a JSON object.
    pub fields: String,
}

// An array of arrays has to be a rectangle, so the ids of each come as one text.
const INSERT: &str = r"
    insert into logs.log_entries
           (logged_at, instance, sequence, service, level, target, message, order_ids, request_ids,
            trace_ids, fields)
    select logged_at, instance, sequence, service, level::logs.level, target, message,
           string_to_array(order_ids, E'\n')::uuid[], string_to_array(request_ids, E'\n'),
           string_to_array(trace_ids, E'\n'), fields::jsonb
      from unnest($1::timestamptz[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                  $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
             as l (logged_at, instance, sequence, service, level, target, message, order_ids,
                   request_ids, trace_ids, fields)
    on conflict do nothing";

/// Stores lines, all in one commit; one that is there already stays as it is.
///
/// # Errors
/// [`Error::Refused`] also if there is no table for the day of a line: see [`keep`].
pub async fn insert(db: &Db, lines: &[Entry]) -> Result<(), Error> {
    fn each<'a, T>(lines: &'a [Entry], field: impl Fn(&'a Entry) -> T) -> Vec<T> {
        lines.iter().map(field).collect()
    }
    let orders = |line: &Entry| {
        let ids: Vec<String> = line.order_ids.iter().map(ToString::to_string).collect();
        ids.join("\n")
    };
    db.query(
        INSERT,
        &[
            &each(lines, |line| line.logged_at),
            &each(lines, |line| &line.instance),
            &each(lines, |line| line.sequence),
            &each(lines, |line| &line.service),
            &each(lines, |line| line.level.as_str()),
            &each(lines, |line| &line.target),
            &each(lines, |line| &line.message),
            &each(lines, orders),
            &each(lines, |line| line.request_ids.join("\n")),
            &each(lines, |line| line.trace_ids.join("\n")),
            &each(lines, |line| &line.fields),
        ],
    )
    .await
    .map(drop)
}

/// The days whose lines are kept, by the database's clock, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The oldest one.
    pub first: Date,
    /// Tomorrow, since not all clocks agree.
    pub last: Date,
}

const KEEP: &str = "select first_day, last_day from logs.keep($1, $2)";

/// Makes the tables of today, of tomorrow and of those of `wanted` that are kept, and drops those
/// that are older than `retention_days`. Any number may do so at the same time.
///
/// # Errors
/// [`Error::Unavailable`] also if a table that is to go is being read for too long: it goes next time.
pub async fn keep(db: &Db, retention_days: i32, wanted: &[Date]) -> Result<Days, Error> {
    let rows = db.query(KEEP, &[&retention_days, &wanted]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no days".to_owned()))?;
    days_in(row)
}

/// How many tables are made in a statement: each takes some 20 ms, and lines may come from hundreds of
/// days at once.
const TABLES_MAX: usize = 16;

// Takes no lock that a reader's stands in the way of, as what makes and drops tables does.
const DAYS: &str = "
    select today - $1::int as first_day, today + 1 as last_day,
           coalesce(every(to_regclass(to_char(d, '\"logs\".\"log_entries_\"YYYYMMDD')) is not null)
                    filter (where d between today - $1 and today + 1), true) as have_tables
      from (select (now() at time zone 'UTC')::date as today) t
      left join unnest($2::date[]) as w (d) on true
     group by today";

/// Which days are kept. Those of `wanted` among them have a table afterwards. Waits for nobody who reads
/// if they have one already: somebody may read for hours, while lines come.
///
/// # Errors
/// As [`keep`], where a table has to be made.
pub async fn days(db: &Db, retention_days: i32, wanted: &[Date]) -> Result<Days, Error> {
    let rows = db.query(DAYS, &[&retention_days, &wanted]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no days".to_owned()))?;
    if !column::<bool>(row, "have_tables")? {
        for some in wanted.chunks(TABLES_MAX) {
            keep(db, retention_days, some).await?;
        }
    }
    days_in(row)
}

fn days_in(row: &Row) -> Result<Days, Error> {
    Ok(Days { first: column(row, "first_day")?, last: column(row, "last_day")? })
}

fn entry(row: &Row) -> Result<Entry, Error> {
    let orders: Vec<uuid::Uuid> = column(row, "order_ids")?;
    Ok(Entry {
        logged_at: column(row, "logged_at")?,
        instance: column(row, "instance")?,
        sequence: column(row, "sequence")?,
        service: column(row, "service")?,
        level: parsed(row, "level")?,
        target: column(row, "target")?,
        message: column(row, "message")?,
        order_ids: orders.into_iter().map(OrderId).collect(),
        request_ids: column(row, "request_ids")?,
        trace_ids: column(row, "trace_ids")?,
        fields: column(row, "fields")?,
    })
}
