//! Retention of payments: finished ones keep their ids, sum and verdict, and lose all other details.

use std::collections::HashMap;
use std::time::Duration;

use domain::{Amount, OrderId, PaymentId, Verdict};
use tokio_postgres::Row;
use uuid::Uuid;

use super::Payment;
use crate::activity::writers;
use crate::row::{checked, column, parsed};
use crate::{Db, Error};

/// A step through the payments, in the order of their orders' ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PruneStep {
    /// The last payment that the step visited, after which the next step begins; `None` at the end.
    pub last: Option<OrderId>,
    /// The payments to remove. Each has its compact row.
    pub copied: Vec<OrderId>,
    /// Transactions that may not see these compact rows.
    writers: Vec<String>,
}

// Ids begin with the milliseconds since 1970 (RFC 9562, section 5.7): a payment that finished long ago
// has an order with an old id, so the young end of the table is not read.
const COPY: &str = "
    with step as materialized (
        select order_id, payment_id, amount_minor, finished_at, status, currency
          from payments.payments
         where order_id > $1
           and order_id < (lpad(to_hex(greatest(extract(epoch from now()) * 1000 - $2::float8, 0)::bigint),
                                12, '0') || repeat('0', 20))::uuid
         order by order_id limit $3
    ), old as (
        select * from step
         where status <> 'started' and finished_at < now() - $2 * interval '1 millisecond'
    ), copied as (
        insert into payments.pruned_payments
               (order_id, payment_id, amount_minor, finished_at, captured, currency)
        select order_id, payment_id, amount_minor, finished_at, status = 'captured', currency
          from old order by order_id
        on conflict (order_id) do nothing
    )
    select (select order_id from step order by order_id desc limit 1) as last,
           (select count(*) from step) = $3 as more,
           (select coalesce(array_agg(order_id), '{}') from old) as orders";

/// Visits up to `limit` payments after `after`, and writes the compact rows of those that finished
/// more than `age` ago, by the database's clock. Removes nothing: see [`remove_pruned`].
pub async fn copy_pruned(
    db: &Db,
    after: Option<OrderId>,
    age: Duration,
    limit: i64,
) -> Result<PruneStep, Error> {
    let after = after.map_or(Uuid::nil(), |id| id.0);
    let age_ms = age.as_secs_f64() * 1000.0;
    let rows = db.query(COPY, &[&after, &age_ms, &limit]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no row came back".to_owned()))?;
    let last: Option<Uuid> = column(row, "last")?;
    let more: bool = column(row, "more")?;
    let copied: Vec<Uuid> = column(row, "orders")?;
    Ok(PruneStep {
        last: last.filter(|_| more).map(OrderId),
        copied: copied.into_iter().map(OrderId).collect(),
        writers: writers(db, "payments.payments").await?,
    })
}

const REMOVE: &str = "
    with gone as (
        delete from payments.payments p using payments.pruned_payments g
         where p.order_id = any($1) and g.order_id = p.order_id and p.status <> 'started'
        returning p.order_id
    ), calls as (
        delete from payments.unanswered_calls where order_id = any($1)
    )
    select count(*) as gone from gone";

/// Removes the payments of a step and returns their number; `None`: a transaction that began before
/// the compact rows were there is still open, and might begin one of these payments anew. Ask again.
pub async fn remove_pruned(db: &Db, step: &PruneStep) -> Result<Option<i64>, Error> {
    if step.copied.is_empty() {
        return Ok(Some(0));
    }
    let open = writers(db, "payments.payments").await?;
    if step.writers.iter().any(|writer| open.contains(writer)) {
        return Ok(None);
    }
    let orders: Vec<_> = step.copied.iter().map(|id| id.0).collect();
    let rows = db.query(REMOVE, &[&orders]).await?;
    rows.first().map(|row| column(row, "gone")).transpose()
}

const PRUNED: &str = "
    select order_id, payment_id, amount_minor, captured, currency
      from payments.pruned_payments where order_id = any($1)";

/// Returns the payments of orders whose details were removed.
pub async fn pruned(db: &Db, orders: &[OrderId]) -> Result<Vec<(OrderId, Payment)>, Error> {
    let orders: Vec<_> = orders.iter().map(|id| id.0).collect();
    db.query(PRUNED, &[&orders]).await?.iter().map(payment_from_row).collect()
}

/// Adds the payments that are not in `found` because their details were removed.
pub(super) async fn with_pruned(
    db: &Db,
    mut found: HashMap<OrderId, Payment>,
    orders: impl Iterator<Item = OrderId>,
) -> Result<HashMap<OrderId, Payment>, Error> {
    let missing: Vec<OrderId> = orders.filter(|id| !found.contains_key(id)).collect();
    if !missing.is_empty() {
        found.extend(pruned(db, &missing).await?);
    }
    Ok(found)
}

fn payment_from_row(row: &Row) -> Result<(OrderId, Payment), Error> {
    let captured: bool = column(row, "captured")?;
    let payment = Payment {
        id: PaymentId(column(row, "payment_id")?),
        amount: checked(column(row, "amount_minor")?, Amount::from_minor)?,
        currency: parsed(row, "currency")?,
        payment_method: None,
        verdict: Some(if captured { Verdict::Captured } else { Verdict::Declined(None) }),
        attempt: 1,
        scheduled: 0,
    };
    Ok((OrderId(column(row, "order_id")?), payment))
}
