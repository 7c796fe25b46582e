use time::Date;
use tokio_postgres::Row;

use crate::row::column;
use crate::{Db, Error};

/// The range of days whose lines are kept, by the database's clock, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The oldest day.
    pub first: Date,
    /// The newest day: tomorrow, since a process's clock may be ahead.
    pub last: Date,
}

const KEEP: &str = "select first_day, last_day from logs.keep($1, $2)";

/// Makes the tables of today, of tomorrow, and of those days of `wanted` that are kept; drops the
/// tables of days more than `retention_days` before today. Safe to run concurrently.
///
/// # Errors
/// [`Error::Unavailable`] also if a reader kept an old table busy for too long; the next call drops
/// the table.
pub async fn keep(db: &Db, retention_days: i32, wanted: &[Date]) -> Result<Days, Error> {
    let rows = db.query(KEEP, &[&retention_days, &wanted]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no row came back".to_owned()))?;
    days_from_row(row)
}

/// Largest number of tables made in one statement. A table takes some 20 ms, and the lines of one
/// batch may be of hundreds of days.
const TABLES_MAX: usize = 16;

// Needs no lock that conflicts with a reader's, unlike the statement that makes and drops tables.
const DAYS: &str = "
    select today - $1::int as first_day, today + 1 as last_day,
           coalesce(every(to_regclass(to_char(d, '\"logs\".\"log_entries_\"YYYYMMDD')) is not null)
                    filter (where d between today - $1 and today + 1), true) as have_tables
      from (select (now() at time zone 'UTC')::date as today) t
      left join unnest($2::date[]) as w (d) on true
     group by today";

/// Returns the days that are kept, and makes the missing tables of those days of `wanted` that are
/// kept. If no table is missing, the call waits for no reader: a query may take hours while lines
/// arrive.
///
/// # Errors
/// Those of [`keep`], if a table is missing.
pub async fn days(db: &Db, retention_days: i32, wanted: &[Date]) -> Result<Days, Error> {
    let rows = db.query(DAYS, &[&retention_days, &wanted]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no row came back".to_owned()))?;
    if !column::<bool>(row, "have_tables")? {
        for chunk in wanted.chunks(TABLES_MAX) {
            keep(db, retention_days, chunk).await?;
        }
    }
    days_from_row(row)
}

fn days_from_row(row: &Row) -> Result<Days, Error> {
    Ok(Days { first: column(row, "first_day")?, last: column(row, "last_day")? })
}
