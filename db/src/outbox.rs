//! The outbox: one row for each order whose payment request the broker has not confirmed yet.

use std::time::Duration;

use common::domain::{Amount, CustomerId, OrderId};
use common::message::{PaymentRequest, TraceParent};
use tokio_postgres::Row;

use super::row::{checked, column, parsed, parsed_option};
use super::{Db, Error};

/// A payment request that has to reach the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it asks for.
    pub request: PaymentRequest,
    /// The client's trace, if it brought one.
    pub traceparent: Option<TraceParent>,
}

const CLAIM: &str = "
    with due as (
        select order_id from outbox where leased_until < now()
         order by order_id limit $1 for update skip locked
    ), claimed as (
        update outbox o set leased_until = now() + $2 * interval '1 millisecond'
          from due where o.order_id = due.order_id
        returning o.order_id, o.request_id, o.traceparent
    )
    select c.order_id, c.request_id, c.traceparent,
           o.total_minor, o.currency, o.customer_id, o.payment_method
      from claimed c join orders o on o.id = c.order_id
     order by c.order_id";

/// Takes up to `limit` entries, oldest first, that nobody is publishing any more, and leases them
/// to the caller. Several callers get different ones.
pub async fn claim(db: &Db, limit: i64, lease: Duration) -> Result<Vec<Entry>, Error> {
    let lease_ms = lease.as_secs_f64() * 1000.0;
    db.query(CLAIM, &[&limit, &lease_ms]).await?.iter().map(entry).collect()
}

const REMOVE: &str = "delete from outbox where order_id = any($1)";

/// Removes entries whose publish the broker has confirmed.
pub async fn remove(db: &Db, ids: &[OrderId]) -> Result<(), Error> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    db.query(REMOVE, &[&ids]).await.map(drop)
}

const RELEASE: &str = "update outbox set leased_until = '-infinity' where order_id = any($1)";

/// Ends the leases on entries that could not be published: anybody may claim them at once.
pub async fn release(db: &Db, ids: &[OrderId]) -> Result<(), Error> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    db.query(RELEASE, &[&ids]).await.map(drop)
}

fn entry(row: &Row) -> Result<Entry, Error> {
    Ok(Entry {
        request: PaymentRequest {
            order_id: OrderId(column(row, "order_id")?),
            total: checked(column(row, "total_minor")?, Amount::from_minor)?,
            currency: parsed(row, "currency")?,
            customer_id: checked(column(row, "customer_id")?, CustomerId::new)?,
            payment_method: parsed_option(row, "payment_method")?,
            request_id: parsed_option(row, "request_id")?,
        },
        traceparent: parsed_option(row, "traceparent")?,
    })
}
