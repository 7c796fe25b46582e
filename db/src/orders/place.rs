use std::collections::HashMap;
use std::time::Duration;

use domain::{
    Amount, Currency, IdempotencyKey, NewOrder, Order, OrderId, OrderStatus, PaymentMethod,
    RequestId, TraceParent,
};
use time::OffsetDateTime;
use tokio_postgres::Row;

use super::read::order;
use crate::outbox::BatchId;
use crate::row::{checked, column, parsed};
use crate::{Db, Error};

/// An order to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOrder {
    /// Its id. The same id is never placed twice, so the batch may be repeated.
    pub id: OrderId,
    /// What is wanted.
    pub order: NewOrder,
    /// The client's name for this wish, if it gave one.
    pub key: Option<IdempotencyKey>,
    /// The request that asks for it.
    pub request_id: RequestId,
    /// Its trace, if the client brought one or it is recorded.
    pub traceparent: Option<TraceParent>,
}

/// What became of one order of the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceOutcome {
    /// It is committed, with its outbox row.
    Now(Order),
    /// The key was used before for the same wish: this is that order, as it is today (P7).
    Before(Order),
    /// It was not placed, and nothing is left of it.
    Refused(Refusal),
}

/// Why an order was not placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such customer, or an archived one.
    UnknownCustomer,
    /// No such product, or an archived one.
    UnknownProduct,
    /// Price × quantity is more than an amount can be.
    TotalTooLarge,
    /// The key was used before for another wish (P7).
    KeyUsed,
    /// Somebody changed product or customer in the same moment; the same again gets an answer.
    Contended,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placements {
    /// One answer for each wish, in their order.
    pub each: Vec<PlaceOutcome>,
    /// The outbox row with all that were placed now; `None` where none was.
    pub outbox: Option<BatchId>,
}

// Keys are inserted in order, so that two batches that share keys cannot wait for each other. The
// outbox row names all wishes: those that were refused have no order and are passed over.
const PLACE: &str = "
    with wanted as (
        select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::int[], $5::text[],
                             $6::text[])
            as w (id, customer_id, product_id, quantity, payment_method, idempotency_key)
    ), placed as (
        insert into orders (id, customer_id, product_id, quantity, total_minor, currency,
                            payment_method, idempotency_key)
        select w.id, w.customer_id, w.product_id, w.quantity, p.price_minor * w.quantity,
               p.currency, w.payment_method, w.idempotency_key
          from wanted w
          join products p on p.id = w.product_id and p.archived_at is null
          join customers c on c.id = w.customer_id and c.archived_at is null
         where p.price_minor * w.quantity <= $9
         order by w.idempotency_key, w.id
        on conflict do nothing
        returning id, total_minor, currency, created_at
    ), queued as (
        insert into outbox (leased_until, orders, order_ids, request_ids, traceparents)
        select now() + $10 * interval '1 millisecond', cardinality($1), $1, $7::text[], $8::text[]
         where exists (select from placed)
        returning id
    )
    select placed.id, total_minor, currency, created_at, queued.id as outbox_id
      from placed cross join queued";

/// Places orders, all in one commit, with one outbox row, leased to the caller for `lease`. Within
/// one batch every key may stand only once.
///
/// # Errors
/// Nothing was placed, or (after [`Error::Unavailable`]) perhaps all of it: the same batch again
/// finds out.
pub async fn place(db: &Db, batch: &[PlaceOrder], lease: Duration) -> Result<Placements, Error> {
    let ids: Vec<_> = batch.iter().map(|p| p.id.0).collect();
    let customers: Vec<_> = batch.iter().map(|p| p.order.customer_id.get()).collect();
    let products: Vec<_> = batch.iter().map(|p| p.order.product_id.get()).collect();
    let quantities: Vec<_> = batch.iter().map(|p| p.order.quantity.get()).collect();
    let methods: Vec<_> = batch.iter().map(|p| method(&p.order)).collect();
    let keys: Vec<_> = batch.iter().map(key).collect();
    let request_ids: Vec<_> = batch.iter().map(|p| p.request_id.as_str()).collect();
    let traces: Vec<_> =
        batch.iter().map(|p| p.traceparent.map(|context| context.to_string())).collect();
    let total_max = Amount::MAX.minor();
    let lease_ms = lease.as_secs_f64() * 1000.0;
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
                &total_max,
                &lease_ms,
            ],
        )
        .await?;
    let outbox = rows.first().map(|row| column(row, "outbox_id").map(BatchId)).transpose()?;
    let placed: HashMap<OrderId, Stamp> = rows.iter().map(stamp).collect::<Result<_, _>>()?;
    let missing: Vec<&PlaceOrder> = batch.iter().filter(|p| !placed.contains_key(&p.id)).collect();
    let mut others = explain(db, &missing).await?;
    let answer = |p: &PlaceOrder| match placed.get(&p.id) {
        Some(stamp) => PlaceOutcome::Now(stamp.order(p)),
        None => others.remove(&p.id).unwrap_or(PlaceOutcome::Refused(Refusal::Contended)),
    };
    Ok(Placements { each: batch.iter().map(answer).collect(), outbox })
}

const EXPLAIN: &str = "
    select w.id as wanted_id, c.id is not null as customer_known, p.price_minor,
           o.id, o.customer_id, o.product_id, o.quantity, o.total_minor, o.currency,
           o.payment_method, o.status::text, o.cancel_reason, o.created_at, o.updated_at
      from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
             as w (id, idempotency_key, customer_id, product_id)
      left join customers c on c.id = w.customer_id and c.archived_at is null
      left join products p on p.id = w.product_id and p.archived_at is null
      left join lateral (
            select * from orders where id = w.id
            union all
            select * from orders where idempotency_key = w.idempotency_key
            limit 1
           ) o on true";

/// Why these were not inserted: found under their id or key already, or refused.
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
        if let Some(wanted) = by_id.get(&id) {
            explained.insert(id, verdict(row, wanted)?);
        }
    }
    Ok(explained)
}

fn verdict(row: &Row, wanted: &PlaceOrder) -> Result<PlaceOutcome, Error> {
    if column::<Option<uuid::Uuid>>(row, "id")?.is_some() {
        let found = order(row)?;
        return Ok(match (found.id == wanted.id, same_wish(&found, &wanted.order)) {
            (true, _) => PlaceOutcome::Now(found),
            (false, true) => PlaceOutcome::Before(found),
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
    Ok(PlaceOutcome::Refused(match price.times(wanted.order.quantity) {
        Err(_) => Refusal::TotalTooLarge,
        Ok(_) => Refusal::Contended,
    }))
}

fn same_wish(found: &Order, wanted: &NewOrder) -> bool {
    found.customer_id == wanted.customer_id
        && found.product_id == wanted.product_id
        && found.quantity == wanted.quantity
        && found.payment_method == wanted.payment_method
}

fn method(order: &NewOrder) -> Option<&str> {
    order.payment_method.as_ref().map(PaymentMethod::as_str)
}

fn key(placing: &PlaceOrder) -> Option<&str> {
    placing.key.as_ref().map(IdempotencyKey::as_str)
}

/// What the database decided about a new order.
struct Stamp {
    total: Amount,
    currency: Currency,
    created_at: OffsetDateTime,
}

fn stamp(row: &Row) -> Result<(OrderId, Stamp), Error> {
    let total = checked(column(row, "total_minor")?, Amount::from_minor)?;
    let currency = parsed(row, "currency")?;
    let created_at = column(row, "created_at")?;
    Ok((OrderId(column(row, "id")?), Stamp { total, currency, created_at }))
}

impl Stamp {
    fn order(&self, placing: &PlaceOrder) -> Order {
        Order {
            id: placing.id,
            customer_id: placing.order.customer_id,
            product_id: placing.order.product_id,
            quantity: placing.order.quantity,
            total: self.total,
            currency: self.currency,
            payment_method: placing.order.payment_method.clone(),
            status: OrderStatus::Pending,
            cancel_reason: None,
            created_at: self.created_at,
            updated_at: self.created_at,
        }
    }
}
