//! The outbox: one row per commit that placed orders. A row is removed once the broker has
//! confirmed the payment requests of all its orders.

mod depth;

use std::time::Duration;

use domain::{Amount, CustomerId, OrderId};
use messages::PaymentRequest;
use tokio_postgres::Row;

use crate::row::{checked, column, parsed, parsed_option};
use crate::{Db, Error};

pub use depth::{Depth, depth};

/// Id of a row of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchId(pub(crate) i64);

/// The payment requests of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Id of the row.
    pub id: BatchId,
    /// Requests for the orders of the row that have not been published yet.
    pub entries: Vec<PaymentRequest>,
}

// A row also names the commands of its batch that were refused; these have no order.
const CLAIM: &str = "
    with free as materialized (
        select id, orders from outbox where leased_until < now()
         order by id limit $1 for update skip locked
    ), due as (
        select id from (select id, orders, sum(orders) over (order by id) as so_far from free) f
         where so_far - orders < $1
    ), claimed as (
        update outbox o set leased_until = now() + $2 * interval '1 millisecond'
          from due where o.id = due.id
        returning o.id, o.order_ids, o.request_ids, o.traceparents
    )
    select c.id as batch, e.*
      from claimed c
      left join lateral (
            select o.id as order_id, e.request_id, e.traceparent, o.total_minor, o.currency,
                   o.customer_id, o.payment_method
              from unnest(c.order_ids, c.request_ids, c.traceparents)
                     as e (id, request_id, traceparent)
              join orders o on o.id = e.id
           ) e on true
     order by c.id, e.order_id";

/// Leases rows whose lease has expired to the caller, oldest first: as many rows as make up `limit`
/// orders, the last row whole. Concurrent callers get different rows.
pub async fn claim(db: &Db, limit: i64, lease: Duration) -> Result<Vec<Batch>, Error> {
    let lease_ms = lease.as_secs_f64() * 1000.0;
    let mut batches: Vec<Batch> = Vec::new();
    for row in &db.query(CLAIM, &[&limit, &lease_ms]).await? {
        let id = BatchId(column(row, "batch")?);
        if batches.last().is_none_or(|last| last.id != id) {
            batches.push(Batch { id, entries: Vec::new() });
        }
        if let (Some(last), Some(request)) = (batches.last_mut(), request_from_row(row)?) {
            last.entries.push(request);
        }
    }
    Ok(batches)
}

const REMOVE: &str = "delete from outbox where id = any($1)";

/// Removes rows. Call this only once the broker has confirmed all publishes of a row.
pub async fn remove(db: &Db, batches: &[BatchId]) -> Result<(), Error> {
    db.query(REMOVE, &[&row_ids(batches)]).await.map(drop)
}

const RETAIN: &str = "
    update outbox o
       set leased_until = '-infinity', orders = left_over.orders, order_ids = left_over.order_ids,
           request_ids = left_over.request_ids, traceparents = left_over.traceparents
      from (select o.id, count(*)::integer as orders, array_agg(e.order_id) as order_ids,
                   array_agg(e.request_id) as request_ids,
                   array_agg(e.traceparent) as traceparents
              from outbox o, unnest(o.order_ids, o.request_ids, o.traceparents)
                               as e (order_id, request_id, traceparent)
             where o.id = any($1) and e.order_id = any($2)
             group by o.id) left_over
     where o.id = left_over.id";

/// Keeps only `orders` in the given rows, those that could not be published, and ends the leases:
/// any process may claim the rows at once.
pub async fn retain(db: &Db, batches: &[BatchId], orders: &[OrderId]) -> Result<(), Error> {
    let orders: Vec<_> = orders.iter().map(|id| id.0).collect();
    db.query(RETAIN, &[&row_ids(batches), &orders]).await.map(drop)
}

fn row_ids(batches: &[BatchId]) -> Vec<i64> {
    batches.iter().map(|batch| batch.0).collect()
}

fn request_from_row(row: &Row) -> Result<Option<PaymentRequest>, Error> {
    let Some(order_id) = column(row, "order_id")? else { return Ok(None) };
    Ok(Some(PaymentRequest {
        order_id: OrderId(order_id),
        total: checked(column(row, "total_minor")?, Amount::from_minor)?,
        currency: parsed(row, "currency")?,
        customer_id: checked(column(row, "customer_id")?, CustomerId::new)?,
        payment_method: parsed_option(row, "payment_method")?,
        request_id: parsed_option(row, "request_id")?,
        traceparent: parsed_option(row, "traceparent")?,
    }))
}
