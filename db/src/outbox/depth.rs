use std::time::Duration;

use crate::row::column;
use crate::{Db, Error};

/// Size and age of the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Number of rows, up to the caller's limit.
    pub rows: i64,
    /// Number of orders in these rows.
    pub orders: i64,
    /// Age of the oldest row.
    pub oldest: Duration,
}

const DEPTH: &str = "
    select count(*) as rows, coalesce(sum(orders), 0)::bigint as orders,
           coalesce(extract(epoch from now() - min(queued_at)), 0)::float8 as oldest
      from (select orders, queued_at from outbox where id > (select id from outbox_start)
             order by id limit $1) o";

/// Returns the size and age of the outbox. Reads the oldest `limit` rows and no more.
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
