//! Re-request: the payment request of an overdue order goes into the outbox once more. If the first
//! request was processed, the worker finds the payment and replies again; otherwise it charges
//! under the same key.

use std::time::Duration;

use domain::OrderId;
use tokio_postgres::Row;

use crate::row::column;
use crate::{Db, Error};

/// Number of outbox rows above which no order is re-requested: requests that wait there are not
/// lost.
const OUTBOX_MAX: i64 = 200;
/// Largest number of re-requests of one order. After that the order is left to an operator.
const ASKED_MAX: i32 = 20;
/// Longest wait between two re-requests of an order.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Selection of the overdue orders that are re-requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Wait before the first re-request of an order. Each further wait is twice as long, a day at
    /// most.
    pub first: Duration,
    /// Largest number of orders of one call; those that have waited longest come first.
    pub limit: i64,
}

/// A re-requested order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rerequested {
    /// The order.
    pub id: OrderId,
    /// Number of re-requests of the order, this one included.
    pub times: i32,
}

macro_rules! due {
    ($columns:literal) => {
        concat!(
            "select ",
            $columns,
            " from late_orders l
         where l.waiting_since <= now() - $1::float8 * interval '1 millisecond'
           and l.waiting_since <= now() - least($1::float8 * power(2, least(l.asked, 30)), $2::float8)
                                          * interval '1 millisecond'
           and l.asked < $5
           and (select o.status from orders o where o.id = l.order_id) = 'Pending'
           and (select count(*) from (select from outbox where id > (select id from outbox_start)
                                        order by id limit $4::bigint + 1) o) <= $4
           and l.order_id not in (select e.id from outbox o, unnest(o.order_ids) as e (id)
                                   where o.id > (select id from outbox_start)
                                     and e.id is not null)
           and l.order_id <> all($6::uuid[])
         order by l.waiting_since limit $3"
        )
    };
}

const DUE: &str = due!("l.order_id");

/// Returns the orders that [`rerequest`] would re-request, without those in `except`.
pub async fn due(db: &Db, policy: &RetryPolicy, except: &[OrderId]) -> Result<Vec<OrderId>, Error> {
    let rows = query(db, DUE, policy, except).await?;
    rows.iter().map(|row| column(row, "order_id").map(OrderId)).collect()
}

// Outbox rows of at most 500 orders, the size of the relay's batch. `skip locked` passes over
// orders that another process re-requests at the same time; afterwards they are not due any more.
const REREQUEST: &str = concat!(
    "with due as materialized (",
    due!("l.order_id"),
    " for update skip locked
    ), rerequested as (
        update late_orders l set asked = l.asked + 1, waiting_since = now()
          from due where l.order_id = due.order_id
        returning l.order_id, l.asked
    ), rows as (
        select order_id, (row_number() over (order by order_id) - 1) / 500 as number from rerequested
    ), queued as (
        insert into outbox (leased_until, orders, order_ids, request_ids)
        select '-infinity', count(*)::integer, array_agg(order_id), array_agg(null::text)
          from rows group by number
    )
    select order_id, asked from rerequested order by order_id"
);

/// Puts the requests of overdue orders that are due and not in the outbox into the outbox, all in
/// one commit, without those in `except`. Concurrent callers get different orders. A repeated call after
/// [`Error::Unavailable`] re-requests no order twice.
pub async fn rerequest(
    db: &Db,
    policy: &RetryPolicy,
    except: &[OrderId],
) -> Result<Vec<Rerequested>, Error> {
    let rows = query(db, REREQUEST, policy, except).await?;
    let rerequested = |row| {
        Ok(Rerequested { id: OrderId(column(row, "order_id")?), times: column(row, "asked")? })
    };
    rows.iter().map(rerequested).collect()
}

async fn query(
    db: &Db,
    statement: &str,
    policy: &RetryPolicy,
    except: &[OrderId],
) -> Result<Vec<Row>, Error> {
    let first_ms = policy.first.as_secs_f64() * 1000.0;
    let last_ms = DAY.max(policy.first).as_secs_f64() * 1000.0;
    let except: Vec<_> = except.iter().map(|id| id.0).collect();
    db.query(statement, &[&first_ms, &last_ms, &policy.limit, &OUTBOX_MAX, &ASKED_MAX, &except])
        .await
}
