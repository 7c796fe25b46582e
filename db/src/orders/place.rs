mod stamp;

use std::collections::HashMap;

use domain::{
    Amount, IdempotencyKey, NewOrder, Order, OrderId, PaymentMethod, RequestId, TraceParent,
};
use tokio_postgres::Row;

use self::stamp::{Stamp, stamp_from_row};
use super::columns::{order_from_row, select_orders};
use crate::outbox::{BatchId, LeaseTerms};
use crate::row::{checked, column};
use crate::{Db, Error};

/// The command to place an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOrder {
    /// Id of the order. One id is placed at most once, so a batch may be repeated.
    pub id: OrderId,
    /// The requested order.
    pub order: NewOrder,
    /// The client's idempotency key, if any.
    pub key: Option<IdempotencyKey>,
    /// Id of the HTTP request.
    pub request_id: RequestId,
    /// Trace of the HTTP request, if the client sent one or the trace is recorded.
    pub traceparent: Option<TraceParent>,
}

/// The result of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceOutcome {
    /// The order is committed, together with its outbox row.
    Placed(Order),
    /// The key belongs to an earlier request with the same content (P7): its order, as it is now.
    Repeated(Order),
    /// The order was not placed; nothing is stored.
    Refused(Refusal),
}

/// The reason why an order was not placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The customer does not exist or is archived.
    UnknownCustomer,
    /// The product does not exist or is archived.
    UnknownProduct,
    /// Price × quantity is above [`Amount::MAX`].
    TotalTooLarge,
    /// Price × quantity is this total, and not [`NewOrder::expected_total`].
    TotalDiffers(Amount),
    /// The key belongs to an earlier request with other content (P7).
    KeyUsed,
    /// Product or customer changed at the same time; the same command again gets another result.
    Contended,
}

/// The results of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placements {
    /// One outcome per command, in the order of the batch.
    pub each: Vec<PlaceOutcome>,
    /// The outbox row of the orders that were placed now; `None` if none was placed.
    pub outbox: Option<BatchId>,
}

// Keys are inserted in sorted order, so that batches that share keys cannot wait for each other. The
// outbox row names all commands: the relay passes over those that were refused and have no order.
const PLACE: &str = "
    with wanted as (
        select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::int[], $5::text[],
                             $6::text[], $12::bigint[])
            as w (id, customer_id, product_id, quantity, payment_method, idempotency_key,
                  expected_minor)
    ), placed as (
        insert into orders (id, customer_id, product_id, quantity, total_minor, currency,
                            payment_method, idempotency_key)
        select w.id, w.customer_id, w.product_id, w.quantity, p.price_minor * w.quantity,
               p.currency, w.payment_method, w.idempotency_key
          from wanted w
          join products p on p.id = w.product_id and p.archived_at is null
          join customers c on c.id = w.customer_id and c.archived_at is null
         where p.price_minor * w.quantity <= $9
           and p.price_minor * w.quantity = coalesce(w.expected_minor, p.price_minor * w.quantity)
         order by w.idempotency_key, w.id
        on conflict do nothing
        returning id, total_minor, currency, created_at
    ), queued as (
        insert into outbox (leased_until, holder, orders, order_ids, request_ids, traceparents)
        select now() + $10 * interval '1 millisecond', $11::integer, cardinality($1), $1,
               $7::text[], $8::text[]
         where exists (select from placed)
        returning id
    )
    select placed.id, total_minor, currency, created_at, queued.id as outbox_id
      from placed cross join queued";

/// Places orders, all in one commit, with one outbox row that is leased to the caller.
/// A key that occurs twice in a batch is placed once.
///
/// # Errors
/// [`Error::Refused`]: nothing was placed. [`Error::Unavailable`]: all or nothing was placed; the
/// same batch again returns the outcomes.
pub async fn place(
    db: &Db,
    batch: &[PlaceOrder],
    lease: impl Into<LeaseTerms>,
) -> Result<Placements, Error> {
    let ids: Vec<_> = batch.iter().map(|p| p.id.0).collect();
    let customers: Vec<_> = batch.iter().map(|p| p.order.customer_id.get()).collect();
    let products: Vec<_> = batch.iter().map(|p| p.order.product_id.get()).collect();
    let quantities: Vec<_> = batch.iter().map(|p| p.order.quantity.get()).collect();
    let methods: Vec<_> = batch.iter().map(|p| method(&p.order)).collect();
    let keys: Vec<_> = batch.iter().map(key).collect();
    let expected: Vec<_> =
        batch.iter().map(|p| p.order.expected_total.map(Amount::minor)).collect();
    let request_ids: Vec<_> = batch.iter().map(|p| p.request_id.as_str()).collect();
    let traces: Vec<_> =
        batch.iter().map(|p| p.traceparent.map(|context| context.to_string())).collect();
    let lease: LeaseTerms = lease.into();
    let rows = db
        .query(
            PLACE,
            &[
                &ids,
                &customers,
                &products,
                &quantities,
                &methods,
                &keys,
                &request_ids,
                &traces,
                &Amount::MAX.minor(),
                &lease.length_ms(),
                &lease.holder_number(),
                &expected,
            ],
        )
        .await?;
    let outbox = rows.first().map(|row| column(row, "outbox_id").map(BatchId)).transpose()?;
    let placed: HashMap<OrderId, Stamp> =
        rows.iter().map(stamp_from_row).collect::<Result<_, _>>()?;
    let missing: Vec<&PlaceOrder> = batch.iter().filter(|p| !placed.contains_key(&p.id)).collect();
    let mut others = explain(db, &missing).await?;
    let outcome = |p: &PlaceOrder| match placed.get(&p.id) {
        Some(stamp) => PlaceOutcome::Placed(stamp.order(p)),
        None => others.remove(&p.id).unwrap_or(PlaceOutcome::Refused(Refusal::Contended)),
    };
    Ok(Placements { each: batch.iter().map(outcome).collect(), outbox })
}

const EXPLAIN: &str = concat!(
    "select w.id as wanted_id, c.id is not null as customer_known, p.price_minor, o.*
      from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
             as w (id, idempotency_key, customer_id, product_id)
      left join customers c on c.id = w.customer_id and c.archived_at is null
      left join products p on p.id = w.product_id and p.archived_at is null
      left join lateral (",
    select_orders!("orders where id = w.id"),
    " union all ",
    select_orders!("orders where idempotency_key = w.idempotency_key"),
    " limit 1) o on true"
);

/// Returns the outcomes of commands that were not inserted: stored earlier under their id or key,
/// or refused.
async fn explain(
    db: &Db,
    missing: &[&PlaceOrder],
) -> Result<HashMap<OrderId, PlaceOutcome>, Error> {
    if missing.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<_> = missing.iter().map(|p| p.id.0).collect();
    let keys: Vec<_> = missing.iter().map(|p| key(p)).collect();
    let customers: Vec<_> = missing.iter().map(|p| p.order.customer_id.get()).collect();
    let products: Vec<_> = missing.iter().map(|p| p.order.product_id.get()).collect();
    let rows = db.query(EXPLAIN, &[&ids, &keys, &customers, &products]).await?;
    let by_id: HashMap<OrderId, &PlaceOrder> = missing.iter().map(|p| (p.id, *p)).collect();
    let mut explained = HashMap::new();
    for row in &rows {
        let id = OrderId(column(row, "wanted_id")?);
        if let Some(command) = by_id.get(&id) {
            explained.insert(id, outcome_from_row(row, command)?);
        }
    }
    Ok(explained)
}

fn outcome_from_row(row: &Row, command: &PlaceOrder) -> Result<PlaceOutcome, Error> {
    if column::<Option<uuid::Uuid>>(row, "id")?.is_some() {
        let found = order_from_row(row)?;
        return Ok(match (found.id == command.id, same_request(&found, &command.order)) {
            (true, _) => PlaceOutcome::Placed(found),
            (false, true) => PlaceOutcome::Repeated(found),
            (false, false) => PlaceOutcome::Refused(Refusal::KeyUsed),
        });
    }
    if !column::<bool>(row, "customer_known")? {
        return Ok(PlaceOutcome::Refused(Refusal::UnknownCustomer));
    }
    let Some(price) = column::<Option<i64>>(row, "price_minor")? else {
        return Ok(PlaceOutcome::Refused(Refusal::UnknownProduct));
    };
    let price = checked(price, Amount::from_minor)?;
    let expected = command.order.expected_total;
    Ok(PlaceOutcome::Refused(match price.times(command.order.quantity) {
        Err(_) => Refusal::TotalTooLarge,
        Ok(total) if expected.is_some_and(|expected| expected != total) => {
            Refusal::TotalDiffers(total)
        }
        Ok(_) => Refusal::Contended,
    }))
}

/// Compares a stored order with a request under its key. The stored total is the one that was charged: a
/// price that has changed since makes no other request.
fn same_request(found: &Order, wanted: &NewOrder) -> bool {
    found.customer_id == wanted.customer_id
        && found.product_id == wanted.product_id
        && found.quantity == wanted.quantity
        && found.payment_method == wanted.payment_method
        && wanted.expected_total.is_none_or(|expected| expected == found.total)
}

fn method(order: &NewOrder) -> Option<&str> {
    order.payment_method.as_ref().map(PaymentMethod::as_str)
}

fn key(command: &PlaceOrder) -> Option<&str> {
    command.key.as_ref().map(IdempotencyKey::as_str)
}
