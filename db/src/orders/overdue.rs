//! Orders that are pending for longer than usual. They are few, they are what an operator looks
//! for, and no index on `orders` may find them (see the table's comment): so a scan notes them
//! down.

use std::time::Duration;

use domain::OrderId;

use crate::row::column;
use crate::{Db, Error};

// Ids begin with the milliseconds since 1970 (RFC 9562, section 5.7), so a time is a place among
// them.
const SCAN_OVERDUE: &str = "
    with turn as materialized (
        select seen, (lpad(to_hex((extract(epoch from now()) * 1000 - $1::float8)::bigint), 12, '0')
                      || repeat('0', 20))::uuid as horizon
          from survey for update skip locked
    ), step as materialized (
        select id, status from orders
         where id > (select seen from turn) and id < (select horizon from turn)
         order by id limit $2
    ), late as (
        insert into late_orders (order_id) select id from step where status = 'Pending'
        on conflict do nothing
        returning order_id
    ), progress as (
        update survey set seen = case when (select count(*) from step) = $2
                                      then (select id from step order by id desc limit 1)
                                      else greatest(turn.seen, turn.horizon) end
          from turn
    )
    select (select count(*) from step) as seen";

/// Notes down which orders are still pending `after` they were placed, looking at up to `limit`
/// orders that no scan has seen. Says how many it has looked at: `limit` means that there may be
/// more. Only one of several callers at the same time gets a turn.
pub async fn scan_overdue(db: &Db, after: Duration, limit: i64) -> Result<i64, Error> {
    let after_ms = after.as_secs_f64() * 1000.0;
    let rows = db.query(SCAN_OVERDUE, &[&after_ms, &limit]).await?;
    rows.first().map_or(Ok(0), |row| column(row, "seen"))
}

const FORGET: &str = "
    with step as materialized (
        select order_id from late_orders where order_id > $1 order by order_id limit $2
    ), gone as (
        delete from late_orders l using step, orders o
         where l.order_id = step.order_id and o.id = step.order_id and o.status <> 'Pending'
        returning 1
    )
    select (select order_id from step order by order_id desc limit 1) as last,
           (select count(*) from step) as seen, (select count(*) from gone) as gone";

/// What one look at late orders found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// The last one looked at, where the next look goes on; `None` after the last of all.
    pub last: Option<OrderId>,
    /// How many were struck out.
    pub gone: i64,
}

/// Looks at up to `limit` late orders after `after` and strikes out those that have ended.
pub async fn forget_ended(db: &Db, after: Option<OrderId>, limit: i64) -> Result<Forgotten, Error> {
    let after = after.map_or(uuid::Uuid::nil(), |id| id.0);
    let rows = db.query(FORGET, &[&after, &limit]).await?;
    let Some(row) = rows.first() else { return Ok(Forgotten { last: None, gone: 0 }) };
    let last: Option<uuid::Uuid> = column(row, "last")?;
    let more = column::<i64>(row, "seen")? == limit;
    Ok(Forgotten { last: last.filter(|_| more).map(OrderId), gone: column(row, "gone")? })
}
