use std::time::Duration;

use crate::row::column;
use crate::{Db, Error};

/// What waits for the relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Rows, as far as they were counted.
    pub rows: i64,
    /// The orders in them.
    pub orders: i64,
    /// How long the oldest one has been waiting.
    pub oldest: Duration,
}

const DEPTH: &str = "
    select count(*) as rows, coalesce(sum(orders), 0)::bigint as orders,
           coalesce(extract(epoch from now() - min(queued_at)), 0)::float8 as oldest
      from (select orders, queued_at from outbox order by id limit $1) o";

/// How much waits in the outbox. Counts the oldest `limit` rows and no more.
pub async fn depth(db: &Db, limit: i64) -> Result<Depth, Error> {
    let rows = db.query(DEPTH, &[&limit]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no row came back".to_owned()))?;
    let oldest: f64 = column(row, "oldest")?;
    Ok(Depth {
        rows: column(row, "rows")?,
        orders: column(row, "orders")?,
        oldest: Duration::from_secs_f64(oldest.max(0.0)),
    })
}
