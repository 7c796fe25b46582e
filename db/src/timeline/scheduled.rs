use std::collections::HashSet;
use std::time::Duration;

use domain::OrderId;

use crate::row::column;
use crate::{Db, Error};

const SCHEDULED: &str = "
    select order_id from payments.payments
     where order_id = any($1) and status = 'started' and scheduled_number is not null
       and scheduled_due > now() - $2::float8 * interval '1 millisecond'";

/// Returns those of `orders` that have a scheduled copy which is not overdue by `grace`.
pub async fn scheduled(
    db: &Db,
    orders: &[OrderId],
    grace: Duration,
) -> Result<HashSet<OrderId>, Error> {
    let ids: Vec<_> = orders.iter().map(|id| id.0).collect();
    let grace_ms = grace.as_secs_f64() * 1000.0;
    let rows = db.query(SCHEDULED, &[&ids, &grace_ms]).await?;
    rows.iter().map(|row| column(row, "order_id").map(OrderId)).collect()
}
