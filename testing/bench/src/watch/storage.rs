//! Bytes and transactions that orders cost PostgreSQL.

use anyhow::{Context, Result};
use tokio_postgres::Row;

use testkit::world::World;

/// Write-ahead log of the whole server; heap and indexes of all tables of the world.
const WRITTEN: &str = "
    select (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8,
           sum(pg_table_size(oid))::float8,
           sum(pg_indexes_size(oid))::float8
      from pg_class
     where relkind = 'r' and oid >= 16384";

/// The counter is updated when a session ends or has been idle for a while, so it is read after the
/// services have stopped.
const COMMITS: &str =
    "select xact_commit::float8 from pg_stat_database where datname = current_database()";

/// Bytes written, since the beginning or between two readings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Write-ahead log.
    pub(crate) wal: f64,
    /// Tables without their indexes, including TOAST tables.
    pub(crate) heap: f64,
    /// Indexes.
    pub(crate) indexes: f64,
}

impl Written {
    /// Reads the bytes written so far.
    ///
    /// # Errors
    /// If PostgreSQL does not answer.
    pub(crate) async fn now(world: &World) -> Result<Written> {
        let row = one_row(world, WRITTEN).await?;
        Ok(Written { wal: row.try_get(0)?, heap: row.try_get(1)?, indexes: row.try_get(2)? })
    }

    /// Bytes per order since an earlier reading.
    pub(crate) fn per_order_since(self, earlier: Written, orders: f64) -> Written {
        Written {
            wal: (self.wal - earlier.wal) / orders,
            heap: (self.heap - earlier.heap) / orders,
            indexes: (self.indexes - earlier.indexes) / orders,
        }
    }
}

/// The number of transactions committed in the world's database since its creation.
///
/// # Errors
/// If PostgreSQL does not answer.
pub(crate) async fn commits(world: &World) -> Result<f64> {
    Ok(one_row(world, COMMITS).await?.try_get(0)?)
}

async fn one_row(world: &World, query: &str) -> Result<Row> {
    let rows = world.try_sql(query, &[]).await.context("ask PostgreSQL for its counters")?;
    rows.into_iter().next().context("PostgreSQL has no such counters")
}
