use std::time::Duration;

use domain::OrderId;
use time::OffsetDateTime;
use tokio_postgres::Row;

use super::{OrderRow, Range, Sum};
use crate::row::{column, parsed};
use crate::{Db, Error};

/// A moment, and its place among the orders' ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// Now, by the database's clock.
    pub now: OffsetDateTime,
    /// Orders placed `ago` or earlier have lower ids.
    pub id: OrderId,
}

// Ids begin with the milliseconds since 1970 (RFC 9562, section 5.7).
const HORIZON: &str = "
    select now() as now,
           (lpad(to_hex(greatest(extract(epoch from now()) * 1000 - $1::float8, 0)::bigint), 12, '0')
            || repeat('0', 20))::uuid as id
      from generate_series(1, 1)";

/// Where orders of a certain age are among the ids.
pub async fn horizon(db: &Db, ago: Duration) -> Result<Horizon, Error> {
    let ago_ms = ago.as_secs_f64() * 1000.0;
    let rows = db.query(HORIZON, &[&ago_ms]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no row came back".to_owned()))?;
    Ok(Horizon { now: column(row, "now")?, id: OrderId(column(row, "id")?) })
}

macro_rules! select_orders {
    ($filter:literal) => {
        concat!(
            "select id, status::text, total_minor, currency, created_at from orders where ",
            $filter
        )
    };
}

const ORDERS_BETWEEN: &str = select_orders!("id > $1 and id <= $2 order by id limit $3");

/// A range of orders, in the order of their ids.
pub async fn orders_between(db: &Db, range: &Range) -> Result<Vec<OrderRow>, Error> {
    let (after, up_to) = (range.after.0, range.up_to.0);
    let rows = db.query(ORDERS_BETWEEN, &[&after, &up_to, &range.limit]).await?;
    rows.iter().map(order).collect()
}

const ORDERS_OF: &str = select_orders!("id = any($1)");

/// These orders, as far as there are any.
pub async fn orders_of(db: &Db, ids: &[OrderId]) -> Result<Vec<OrderRow>, Error> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    db.query(ORDERS_OF, &[&ids]).await?.iter().map(order).collect()
}

const LATE_ORDERS: &str =
    "select order_id from late_orders where order_id > $1 order by order_id limit $2";

/// Orders that were noted down as late, and may have ended since.
pub async fn late_orders(db: &Db, after: OrderId, limit: i64) -> Result<Vec<OrderId>, Error> {
    let rows = db.query(LATE_ORDERS, &[&after.0, &limit]).await?;
    rows.iter().map(|row| column(row, "order_id").map(OrderId)).collect()
}

fn order(row: &Row) -> Result<OrderRow, Error> {
    Ok(OrderRow {
        id: OrderId(column(row, "id")?),
        status: parsed(row, "status")?,
        sum: Sum { minor: column(row, "total_minor")?, currency: column(row, "currency")? },
        placed_at: column(row, "created_at")?,
    })
}
