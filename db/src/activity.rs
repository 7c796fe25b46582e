//! Other sessions of the database, as far as this role may see them.

use std::time::Duration;

use tokio_postgres::Row;

use crate::row::column;
use crate::{Db, Error};

// A role without `pg_read_all_stats` sees the times of its own sessions only.
const OLDEST_TRANSACTION: &str = "
    select coalesce(extract(epoch from max(age)), 0)::float8 as age
      from (select now() - xact_start as age from pg_stat_activity
             where datname = current_database() and backend_type = 'client backend'
               and pid <> pg_backend_pid()
            union all
            select now() - prepared from pg_prepared_xacts
             where database = current_database()) t";

/// Returns the age of the oldest open transaction of the database, prepared ones included.
pub async fn oldest_transaction(db: &Db) -> Result<Duration, Error> {
    let rows = db.query(OLDEST_TRANSACTION, &[]).await?;
    let age: f64 = rows.first().map_or(Ok(0.0), |row| column(row, "age"))?;
    Ok(Duration::try_from_secs_f64(age.max(0.0)).unwrap_or(Duration::MAX))
}

// A transaction that writes to a table locks it before it takes a snapshot or the next number of a
// sequence, and to its end.
const WRITERS: &str = "
    select virtualtransaction as writer from pg_locks
     where relation = $1::text::regclass and mode = 'RowExclusiveLock'
       and database = (select oid from pg_database where datname = current_database())";

/// Returns the transactions that write to a table at the moment.
pub(crate) async fn writers(db: &Db, table: &str) -> Result<Vec<String>, Error> {
    let writer = |row: &Row| column(row, "writer");
    db.query(WRITERS, &[&table]).await?.iter().map(writer).collect()
}
