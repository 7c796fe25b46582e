use std::time::Duration;

use domain::OrderId;
use tokio_postgres::Row;

use super::rows::{CaptureRow, KeyRange, PaymentRow, PaymentStatus, Range, Sum};
use crate::row::column;
use crate::{Db, Error};

// With the payments whose details were removed. A removal that was interrupted has left both rows.
macro_rules! select_payments {
    ($filter:literal) => {
        concat!(
            "select * from ((
                select order_id, status::text, amount_minor, currency,
                       least(greatest(started_at, '1970-01-01'), '9999-01-01') as started_at,
                       extract(epoch from now() - case when finished_at is not null then
                           least(greatest(finished_at, '1970-01-01'), '9999-01-01') end)::float8
                           as ended
                  from payments.payments where ",
            $filter,
            ") union all (
                select order_id, case when captured then 'captured' else 'declined' end,
                       amount_minor, currency, finished_at,
                       extract(epoch from now() - finished_at)::float8
                  from payments.pruned_payments g where not exists (
                           select from payments.payments p where p.order_id = g.order_id) and ",
            $filter,
            ")) p"
        )
    };
}

const PAYMENTS_BETWEEN: &str = concat!(
    select_payments!("order_id > $1 and order_id <= $2 order by order_id limit $3"),
    " order by order_id limit $3"
);

/// Returns the payments of a range of orders, ordered by the orders' ids.
pub async fn payments_between(db: &Db, range: &Range) -> Result<Vec<PaymentRow>, Error> {
    let (after, up_to) = (range.after.0, range.up_to.0);
    let rows = db.query(PAYMENTS_BETWEEN, &[&after, &up_to, &range.limit]).await?;
    rows.iter().map(payment_from_row).collect()
}

const PAYMENTS_OF: &str = select_payments!("order_id = any($1)");

/// Returns the payments of the given orders; an order without a payment has no row in the result.
pub async fn payments_of(db: &Db, orders: &[OrderId]) -> Result<Vec<PaymentRow>, Error> {
    let ids: Vec<_> = orders.iter().map(|id| id.0).collect();
    db.query(PAYMENTS_OF, &[&ids]).await?.iter().map(payment_from_row).collect()
}

macro_rules! select_captures {
    ($filter:literal) => {
        concat!(
            "select key, order_id, amount_minor, currency from simulated_gateway.captures where ",
            $filter
        )
    };
}

const CAPTURES_OF: &str = select_captures!("key = any($1)");

/// Returns the simulated gateway's captures under the given keys.
pub async fn captures_of(db: &Db, keys: &[String]) -> Result<Vec<CaptureRow>, Error> {
    db.query(CAPTURES_OF, &[&keys]).await?.iter().map(capture_from_row).collect()
}

const CAPTURES_BETWEEN: &str = select_captures!("key > $1 and key <= $2 order by key limit $3");

/// Returns the simulated gateway's captures under a range of keys, ordered by key.
pub async fn captures_between(db: &Db, range: &KeyRange<'_>) -> Result<Vec<CaptureRow>, Error> {
    let rows = db.query(CAPTURES_BETWEEN, &[&range.after, &range.up_to, &range.limit]).await?;
    rows.iter().map(capture_from_row).collect()
}

const CAPTURES_AFTER: &str = select_captures!("key > $1 order by key limit $2");

/// Returns up to `limit` captures under keys above `after`, ordered by key.
pub async fn captures_after(db: &Db, after: &str, limit: i64) -> Result<Vec<CaptureRow>, Error> {
    db.query(CAPTURES_AFTER, &[&after, &limit]).await?.iter().map(capture_from_row).collect()
}

fn payment_from_row(row: &Row) -> Result<PaymentRow, Error> {
    let ended: Option<f64> = column(row, "ended")?;
    let status: &str = column(row, "status")?;
    Ok(PaymentRow {
        order_id: OrderId(column(row, "order_id")?),
        status: match status {
            "captured" => PaymentStatus::Captured,
            "declined" => PaymentStatus::Declined,
            _ => PaymentStatus::Started,
        },
        sum: Sum { minor: column(row, "amount_minor")?, currency: column(row, "currency")? },
        started_at: column(row, "started_at")?,
        ended: ended.map(|seconds| Duration::from_secs_f64(seconds.max(0.0))),
    })
}

fn capture_from_row(row: &Row) -> Result<CaptureRow, Error> {
    Ok(CaptureRow {
        key: column(row, "key")?,
        order_id: OrderId(column(row, "order_id")?),
        sum: Sum { minor: column(row, "amount_minor")?, currency: column(row, "currency")? },
    })
}
