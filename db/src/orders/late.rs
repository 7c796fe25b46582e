//! Orders that are pending for longer than usual. They are few, they are what an operator looks
//! for, and no index on `orders` may find them (see the table's comment): so a survey notes them
//! down.

use std::time::Duration;

use crate::row::column;
use crate::{Db, Error};

// Ids begin with the milliseconds since 1970 (RFC 9562, section 5.7), so a time is a place among
// them.
const SURVEY: &str = "
    with turn as materialized (
        select seen, (lpad(to_hex((extract(epoch from now()) * 1000 - $1::float8)::bigint), 12, '0')
                      || repeat('0', 20))::uuid as horizon
          from survey for update skip locked
    ), step as materialized (
        select o.id, o.status from turn, orders o
         where o.id > turn.seen and o.id < turn.horizon
         order by o.id limit $2
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
/// orders that no survey has seen. Says how many it has looked at: `limit` means that there may be
/// more. Only one of several callers at the same time gets a turn.
pub async fn survey(db: &Db, after: Duration, limit: i64) -> Result<i64, Error> {
    let after_ms = after.as_secs_f64() * 1000.0;
    let rows = db.query(SURVEY, &[&after_ms, &limit]).await?;
    rows.first().map_or(Ok(0), |row| column(row, "seen"))
}

const FORGET: &str = "
    with ended as (
        select l.order_id from late_orders l join orders o on o.id = l.order_id
         where o.status <> 'Pending' order by l.order_id limit $1
    ), gone as (
        delete from late_orders l using ended where l.order_id = ended.order_id returning 1
    )
    select count(*) from gone";

/// Strikes out up to `limit` late orders that have ended since; how many.
pub async fn forget_ended(db: &Db, limit: i64) -> Result<i64, Error> {
    let rows = db.query(FORGET, &[&limit]).await?;
    rows.first().map_or(Ok(0), |row| column(row, "count"))
}
