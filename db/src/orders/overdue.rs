//! Overdue orders: pending for longer than expected. They are few, operators search for them, and
//! no index on `orders` may find them (see the comment of the table in its migration), so the
//! overdue scan records them in `late_orders`. The table `survey` has the scan's position.

use std::time::Duration;

use domain::OrderId;

use crate::row::column;
use crate::{Db, Error};

// Ids begin with the milliseconds since 1970 (RFC 9562, section 5.7), so a time has a position
// among the ids.
const SCAN_OVERDUE: &str = "
    with turn as materialized (
        select seen, (lpad(to_hex((extract(epoch from now()) * 1000 - $1::float8)::bigint), 12, '0')
                      || repeat('0', 20))::uuid as horizon
          from survey for update skip locked
    ), step as materialized (
        select id, status from orders
         where id > (select seen from turn) and id < (select horizon from turn)
         order by id limit $2
    ), overdue as (
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

/// Records the orders that are pending `after` they were placed. Reads up to `limit` orders above
/// the scan's position and returns their number: `limit` means that there may be more. Of
/// concurrent callers one scans, the others return 0.
pub async fn scan_overdue(db: &Db, after: Duration, limit: i64) -> Result<i64, Error> {
    let after_ms = after.as_secs_f64() * 1000.0;
    let rows = db.query(SCAN_OVERDUE, &[&after_ms, &limit]).await?;
    rows.first().map_or(Ok(0), |row| column(row, "seen"))
}

const FORGET_ENDED: &str = "
    with step as materialized (
        select order_id from late_orders where order_id > $1 order by order_id limit $2
    ), gone as (
        delete from late_orders l using step, orders o
         where l.order_id = step.order_id and o.id = step.order_id and o.status <> 'Pending'
        returning 1
    )
    select (select order_id from step order by order_id desc limit 1) as last,
           (select count(*) from step) as seen, (select count(*) from gone) as gone";

/// Result of one step over the recorded overdue orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// The last order of the step, after which the next step begins; `None` at the end of the list.
    pub last: Option<OrderId>,
    /// Number of orders that were removed from the list.
    pub gone: i64,
}

/// Reads up to `limit` recorded overdue orders after `after`, and removes those that have reached
/// their final status from the list.
pub async fn forget_ended(db: &Db, after: Option<OrderId>, limit: i64) -> Result<Forgotten, Error> {
    let after = after.map_or(uuid::Uuid::nil(), |id| id.0);
    let rows = db.query(FORGET_ENDED, &[&after, &limit]).await?;
    let Some(row) = rows.first() else { return Ok(Forgotten { last: None, gone: 0 }) };
    let last: Option<uuid::Uuid> = column(row, "last")?;
    let more = column::<i64>(row, "seen")? == limit;
    Ok(Forgotten { last: last.filter(|_| more).map(OrderId), gone: column(row, "gone")? })
}
