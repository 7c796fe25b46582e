//! Putting the request of a late order into the outbox once more. Whatever became of the first one,
//! a worker that gets it finds the payment and answers, or charges under the same key.

use std::time::Duration;

use domain::OrderId;

use crate::row::column;
use crate::{Db, Error};

/// With more rows than this in the outbox nothing is asked for again: what waits there is on its way.
const OUTBOX_MAX: i64 = 200;
/// How often an order is asked for again before it is left to a person.
const ASKED_MAX: i32 = 20;
/// The longest wait.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Which late orders are asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long an order is waited for before the first time; twice as long before each next time,
    /// a day at most.
    pub first: Duration,
    /// How many at a time, those that have waited longest first.
    pub limit: i64,
}

/// An order that was asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rerequested {
    /// Which one.
    pub id: OrderId,
    /// How often by now.
    pub times: i32,
}

// Rows of at most 500 orders, which is the relay's batch. A row that another process has claimed is
// passed over, and one that it has just asked for is not due any more.
const REREQUEST: &str = "
    with due as materialized (
        select l.order_id from late_orders l
         where l.waiting_since <= now() - $1::float8 * interval '1 millisecond'
           and l.waiting_since <= now() - least($1::float8 * power(2, least(l.asked, 30)), $2::float8)
                                          * interval '1 millisecond'
           and l.asked < $5
           and (select o.status from orders o where o.id = l.order_id) = 'Pending'
           and (select count(*) from (select from outbox limit $4::bigint + 1) o) <= $4
           and l.order_id not in (select unnest(order_ids) from outbox)
         order by l.waiting_since limit $3
         for update skip locked
    ), asked as (
        update late_orders l set asked = l.asked + 1, waiting_since = now()
          from due where l.order_id = due.order_id
        returning l.order_id, l.asked
    ), rows as (
        select order_id, (row_number() over (order by order_id) - 1) / 500 as number from asked
    ), queued as (
        insert into outbox (leased_until, orders, order_ids, request_ids)
        select '-infinity', count(*)::integer, array_agg(order_id), array_agg(null::text)
          from rows group by number
    )
    select order_id, asked from asked order by order_id";

/// Puts the requests of late orders that are due, and not in the outbox, into it, all in one commit.
/// Several callers at the same time get different orders. After [`Error::Unavailable`] the same
/// again asks for nothing that was asked for already.
pub async fn rerequest(db: &Db, patience: &RetryPolicy) -> Result<Vec<Rerequested>, Error> {
    let first_ms = patience.first.as_secs_f64() * 1000.0;
    let last_ms = DAY.max(patience.first).as_secs_f64() * 1000.0;
    let rows = db
        .query(REREQUEST, &[&first_ms, &last_ms, &patience.limit, &OUTBOX_MAX, &ASKED_MAX])
        .await?;
    let asked = |row| {
        Ok(Rerequested { id: OrderId(column(row, "order_id")?), times: column(row, "asked")? })
    };
    rows.iter().map(asked).collect()
}
