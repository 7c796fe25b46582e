//! The outbox: one row per commit that placed orders. A row is removed once the broker has
//! confirmed the payment requests of all its orders.

mod depth;
mod start;

use std::time::Duration;

use domain::{Amount, CustomerId, OrderId};
use messages::PaymentRequest;
use tokio_postgres::Row;

use crate::presence::{CLASS, Holder};
use crate::row::{checked, column, parsed, parsed_option};
use crate::unreadable::{Table, report};
use crate::{Db, Error};

pub use depth::{Depth, depth};
pub use start::{Mark, advance_start};

/// Lease of orders that cannot be read. After that time they are read again: an operator may have
/// repaired them.
const UNREADABLE_LEASE: Duration = Duration::from_secs(60);

/// Id of a row of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchId(pub(crate) i64);

/// The terms on which a process has a row of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTerms {
    /// Time after which any process may claim the row.
    pub length: Duration,
    /// The process, if the row is free as soon as it dies.
    pub holder: Option<Holder>,
}

impl LeaseTerms {
    pub(crate) fn length_ms(self) -> f64 {
        self.length.as_secs_f64() * 1000.0
    }

    pub(crate) fn holder_number(self) -> Option<i32> {
        self.holder.map(|holder| holder.0)
    }
}

impl From<Duration> for LeaseTerms {
    fn from(length: Duration) -> LeaseTerms {
        LeaseTerms { length, holder: None }
    }
}

/// The payment requests of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Id of the row.
    pub id: BatchId,
    /// Requests for the orders of the row that have not been published yet.
    pub entries: Vec<PaymentRequest>,
}

/// Orders of claimed rows whose request cannot be read.
#[derive(Debug, Default)]
struct Unreadable {
    rows: Vec<BatchId>,
    orders: Vec<(uuid::Uuid, Error)>,
}

impl Unreadable {
    fn add(&mut self, row: BatchId, order: uuid::Uuid, error: Error) {
        self.rows.push(row);
        self.orders.push((order, error));
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn report(&self) {
        report(Table::Outbox, &self.orders);
    }
}

// A row also names the commands of its batch that were refused; these have no order.
//
// The order of the reads matters: a row that the snapshot shows was written by a process whose lock is
// older than the row, so that a lock which is missing afterwards is one that was lost.
const CLAIM: &str = "
    with present as materialized (
        select coalesce(array_agg(objid::bigint), '{}') as holders from pg_locks
         where locktype = 'advisory' and granted and objsubid = 2 and classid::bigint = $4
           and database = (select oid from pg_database where datname = current_database())
    ), free as materialized (
        select id, orders from outbox
         where id > (select id from outbox_start)
           and (leased_until < now()
                or (holder is not null
                    and holder::bigint <> all ((select holders from present)::bigint[])))
         order by id limit $1 for update skip locked
    ), due as (
        select id from (select id, orders, sum(orders) over (order by id) as so_far from free) f
         where so_far - orders < $1
    ), claimed as (
        update outbox o
           set leased_until = now() + $2 * interval '1 millisecond', holder = $3::integer
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

/// Leases rows whose lease has expired, or whose holder has died, to the caller, oldest first: as many rows as make up `limit`
/// orders, the last row whole. Concurrent callers get different rows.
///
/// Orders whose request cannot be read are reported, and set aside for a while in a row of their own:
/// they are in no batch of the result.
pub async fn claim(db: &Db, limit: i64, lease: impl Into<LeaseTerms>) -> Result<Vec<Batch>, Error> {
    let lease: LeaseTerms = lease.into();
    let (lease_ms, class) = (lease.length_ms(), i64::from(CLASS));
    let mut batches: Vec<Batch> = Vec::new();
    let mut unreadable = Unreadable::default();
    for row in &db.query(CLAIM, &[&limit, &lease_ms, &lease.holder_number(), &class]).await? {
        let id = BatchId(column(row, "batch")?);
        if batches.last().is_none_or(|last| last.id != id) {
            batches.push(Batch { id, entries: Vec::new() });
        }
        match (batches.last_mut(), request_from_row(row)) {
            (Some(last), Ok(Some(request))) => last.entries.push(request),
            (_, Err(error)) => unreadable.add(id, column(row, "order_id")?, error),
            (_, Ok(_)) => {}
        }
    }
    if !unreadable.is_empty() {
        unreadable.report();
        set_aside(db, &unreadable, UNREADABLE_LEASE).await?;
        batches.retain(|batch| !batch.entries.is_empty() || !unreadable.rows.contains(&batch.id));
    }
    Ok(batches)
}

// The orders move to a new row even if they have a row of their own: no row stays at the old end of
// the outbox.
const SET_ASIDE: &str = "
    with entries as materialized (
        select o.id, o.queued_at, e.order_id, e.request_id, e.traceparent,
               coalesce(e.order_id = any($2), false) as unreadable
          from outbox o, unnest(o.order_ids, o.request_ids, o.traceparents)
                           as e (order_id, request_id, traceparent)
         where o.id = any($1)
    ), apart as (
        insert into outbox (leased_until, queued_at, orders, order_ids, request_ids, traceparents)
        select now() + $3 * interval '1 millisecond', min(queued_at), count(*)::integer,
               array_agg(order_id), array_agg(request_id), array_agg(traceparent)
          from entries where unreadable group by id
    ), emptied as (
        delete from outbox
         where id in (select id from entries group by id having every(unreadable))
    )
    update outbox o
       set orders = rest.orders, order_ids = rest.order_ids, request_ids = rest.request_ids,
           traceparents = rest.traceparents
      from (select id, count(*)::integer as orders, array_agg(order_id) as order_ids,
                   array_agg(request_id) as request_ids, array_agg(traceparent) as traceparents
              from entries where not unreadable group by id) rest
     where o.id = rest.id";

/// Moves orders that cannot be read from their rows to rows of their own, leased for `lease`.
async fn set_aside(db: &Db, found: &Unreadable, lease: Duration) -> Result<(), Error> {
    let orders: Vec<_> = found.orders.iter().map(|(id, _)| id).collect();
    let lease_ms = lease.as_secs_f64() * 1000.0;
    db.query(SET_ASIDE, &[&row_ids(&found.rows), &orders, &lease_ms]).await.map(drop)
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
