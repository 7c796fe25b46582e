use std::collections::HashSet;
use std::time::Duration;

use common::domain::OrderId;

use crate::row::column;
use crate::{Db, Error};

/// What waits for the relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// Rows, as far as they were counted.
    pub rows: i64,
    /// How long the oldest one has been waiting.
    pub oldest: Duration,
}

const OUTBOX: &str = "
    select count(*) as rows,
           coalesce(extract(epoch from now() - min(queued_at)), 0)::float8 as oldest
      from (select queued_at from outbox order by id limit $1) o";

/// How much waits in the outbox. Counts the oldest `limit` rows and no more.
pub async fn outbox(db: &Db, limit: i64) -> Result<Outbox, Error> {
    let rows = db.query(OUTBOX, &[&limit]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no row came back".to_owned()))?;
    let oldest: f64 = column(row, "oldest")?;
    Ok(Outbox { rows: column(row, "rows")?, oldest: Duration::from_secs_f64(oldest.max(0.0)) })
}

const OUTBOX_ORDERS: &str = "
    select e.id from (select order_ids from outbox order by id limit $1) o,
                     unnest(o.order_ids) as e (id)
     limit $1";

/// The orders that wait in the outbox, the `limit` oldest of them.
pub async fn outbox_orders(db: &Db, limit: i64) -> Result<HashSet<OrderId>, Error> {
    let rows = db.query(OUTBOX_ORDERS, &[&limit]).await?;
    rows.iter().map(|row| column(row, "id").map(OrderId)).collect()
}
