use std::collections::HashSet;

use domain::OrderId;

use crate::row::column;
use crate::{Db, Error};

const OUTBOX_ORDERS: &str = "
    select e.id from (select order_ids from outbox where id > (select id from outbox_start)
                       order by id limit $1) o,
                     unnest(o.order_ids) as e (id)
     limit $1";

/// Returns the orders whose requests wait in the outbox, the `limit` oldest of them.
pub async fn outbox_orders(db: &Db, limit: i64) -> Result<HashSet<OrderId>, Error> {
    let rows = db.query(OUTBOX_ORDERS, &[&limit]).await?;
    rows.iter().map(|row| column(row, "id").map(OrderId)).collect()
}
