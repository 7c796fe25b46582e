use std::time::Duration;

use domain::OrderId;
use time::OffsetDateTime;
use tokio_postgres::Row;

use super::rows::{OrderRow, Range, Sum};
use crate::row::{column, parsed};
use crate::{Db, Error};

/// A time, and the lower bound of the ids that were made after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// The present time, by the database's clock.
    pub now: OffsetDateTime,
    /// Orders whose ids were made `ago` or earlier have lower ids.
    pub id: OrderId,
}

// Ids begin with the milliseconds since 1970 (RFC 9562, section 5.7).
const HORIZON: &str = "
    select now() as now,
           (lpad(to_hex(greatest(extract(epoch from now()) * 1000 - $1::float8, 0)::bigint), 12, '0')
            || repeat('0', 20))::uuid as id
      from generate_series(1, 1)";

/// Returns the present time, and the id that separates orders made more than `ago` before it from
/// the others.
pub async fn horizon(db: &Db, ago: Duration) -> Result<Horizon, Error> {
    let ago_ms = ago.as_secs_f64() * 1000.0;
    let rows = db.query(HORIZON, &[&ago_ms]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no row came back".to_owned()))?;
    Ok(Horizon { now: column(row, "now")?, id: OrderId(column(row, "id")?) })
}

macro_rules! select_orders {
    ($filter:literal) => {
        concat!(
            "select id, status::text, total_minor, currency,
                    least(greatest(created_at, '1970-01-01'), '9999-01-01') as created_at
               from orders where ",
            $filter
        )
    };
}

const ORDERS_BETWEEN: &str = select_orders!("id > $1 and id <= $2 order by id limit $3");

/// Returns a range of orders, ordered by id.
pub async fn orders_between(db: &Db, range: &Range) -> Result<Vec<OrderRow>, Error> {
    let (after, up_to) = (range.after.0, range.up_to.0);
    let rows = db.query(ORDERS_BETWEEN, &[&after, &up_to, &range.limit]).await?;
    rows.iter().map(order_from_row).collect()
}

const ORDERS_OF: &str = select_orders!("id = any($1)");

/// Returns the given orders; an id without an order has no row in the result.
pub async fn orders_of(db: &Db, ids: &[OrderId]) -> Result<Vec<OrderRow>, Error> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    db.query(ORDERS_OF, &[&ids]).await?.iter().map(order_from_row).collect()
}

const OVERDUE_ORDERS: &str =
    "select order_id from late_orders where order_id > $1 order by order_id limit $2";

/// Returns up to `limit` orders with ids above `after` that were recorded as overdue. Some may have
/// reached their final status since.
pub async fn overdue_orders(db: &Db, after: OrderId, limit: i64) -> Result<Vec<OrderId>, Error> {
    let rows = db.query(OVERDUE_ORDERS, &[&after.0, &limit]).await?;
    rows.iter().map(|row| column(row, "order_id").map(OrderId)).collect()
}

fn order_from_row(row: &Row) -> Result<OrderRow, Error> {
    Ok(OrderRow {
        id: OrderId(column(row, "id")?),
        status: parsed(row, "status")?,
        sum: Sum { minor: column(row, "total_minor")?, currency: column(row, "currency")? },
        placed_at: column(row, "created_at")?,
    })
}
