//! Payments: what a worker began and how it ended. One row an order, so that a request that is
//! delivered again meets what was done before.

use std::collections::HashMap;

use common::domain::{Amount, Currency, OrderId, PaymentId, PaymentMethod, Reason, Verdict};
use tokio_postgres::Row;

use super::row::{checked, column, parsed, parsed_option};
use super::{Db, Error};

/// A payment to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starting {
    /// The order to charge.
    pub order_id: OrderId,
    /// The payment's id, should it be the first one for this order.
    pub payment_id: PaymentId,
    /// What to charge.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// With what.
    pub payment_method: Option<PaymentMethod>,
}

/// A payment as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// What it was first asked to charge.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// With what it was first asked to pay.
    pub payment_method: Option<PaymentMethod>,
    /// The gateway's final word, once there is one.
    pub verdict: Option<Verdict>,
}

/// What starting a payment found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// It is the first: the gateway has never been asked for this order.
    First(Payment),
    /// It was started before: the gateway may have been asked.
    Again(Payment),
}

const START: &str = "
    insert into payments.payments (order_id, payment_id, amount_minor, currency, payment_method)
    select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[])
        as s (order_id, payment_id, amount_minor, currency, payment_method)
     order by s.order_id
    on conflict (order_id) do nothing
    returning order_id, payment_id";

/// Starts payments, all in one commit; one that was started before stays as it is. Answers in
/// the order of `batch`.
pub async fn start(db: &Db, batch: &[Starting]) -> Result<Vec<Started>, Error> {
    let orders: Vec<_> = batch.iter().map(|s| s.order_id.0).collect();
    let ids: Vec<_> = batch.iter().map(|s| s.payment_id.0).collect();
    let amounts: Vec<_> = batch.iter().map(|s| s.amount.minor()).collect();
    let currencies: Vec<_> = batch.iter().map(|s| s.currency.code()).collect();
    let methods: Vec<_> =
        batch.iter().map(|s| s.payment_method.as_ref().map(PaymentMethod::as_str)).collect();
    let rows = db.query(START, &[&orders, &ids, &amounts, &currencies, &methods]).await?;
    let mut first = HashMap::new();
    for row in &rows {
        first.insert(OrderId(column(row, "order_id")?), PaymentId(column(row, "payment_id")?));
    }
    let stored = if first.len() == batch.len() {
        HashMap::new()
    } else {
        find(db, batch.iter().map(|s| s.order_id)).await?
    };
    let answer = |s: &Starting| match first.get(&s.order_id) {
        Some(id) if *id == s.payment_id => Ok(Started::First(fresh(s))),
        _ => stored.get(&s.order_id).cloned().map(Started::Again).ok_or_else(vanished),
    };
    batch.iter().map(answer).collect()
}

/// A payment that has a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finishing {
    /// The order that was charged.
    pub order_id: OrderId,
    /// What the gateway said.
    pub verdict: Verdict,
}

const FINISH: &str = "
    update payments.payments p
       set status = f.status, reason = f.reason, finished_at = now()
      from unnest($1::uuid[], $2::text[]::payments.status[], $3::text[])
             as f (order_id, status, reason)
     where p.order_id = f.order_id and p.status = 'started'
    returning p.order_id";

/// Records verdicts, all in one commit; the first one recorded for a payment stays. Answers with
/// what is recorded now, in the order of `batch`.
pub async fn finish(db: &Db, batch: &[Finishing]) -> Result<Vec<Verdict>, Error> {
    let mut sorted: Vec<&Finishing> = batch.iter().collect();
    sorted.sort_by_key(|f| f.order_id);
    sorted.dedup_by_key(|f| f.order_id);
    let orders: Vec<_> = sorted.iter().map(|f| f.order_id.0).collect();
    let statuses: Vec<_> = sorted.iter().map(|f| status(&f.verdict)).collect();
    let reasons: Vec<_> = sorted.iter().map(|f| reason(&f.verdict)).collect();
    let rows = db.query(FINISH, &[&orders, &statuses, &reasons]).await?;
    if rows.len() == batch.len() {
        return Ok(batch.iter().map(|f| f.verdict.clone()).collect());
    }
    let stored = find(db, batch.iter().map(|f| f.order_id)).await?;
    let recorded = |f: &Finishing| stored.get(&f.order_id).and_then(|p| p.verdict.clone());
    batch.iter().map(|f| recorded(f).ok_or_else(vanished)).collect()
}

const FIND: &str = "
    select order_id, payment_id, amount_minor, currency, payment_method, status::text, reason
      from payments.payments where order_id = any($1)";

async fn find(
    db: &Db,
    orders: impl Iterator<Item = OrderId>,
) -> Result<HashMap<OrderId, Payment>, Error> {
    let orders: Vec<_> = orders.map(|id| id.0).collect();
    db.query(FIND, &[&orders]).await?.iter().map(payment).collect()
}

fn payment(row: &Row) -> Result<(OrderId, Payment), Error> {
    let reason: Option<&str> = column(row, "reason")?;
    let verdict = match column(row, "status")? {
        "captured" => Some(Verdict::Captured),
        "declined" => Some(Verdict::Declined(reason.map(Reason::from_text))),
        _ => None,
    };
    let payment = Payment {
        id: PaymentId(column(row, "payment_id")?),
        amount: checked(column(row, "amount_minor")?, Amount::from_minor)?,
        currency: parsed(row, "currency")?,
        payment_method: parsed_option(row, "payment_method")?,
        verdict,
    };
    Ok((OrderId(column(row, "order_id")?), payment))
}

fn fresh(starting: &Starting) -> Payment {
    Payment {
        id: starting.payment_id,
        amount: starting.amount,
        currency: starting.currency,
        payment_method: starting.payment_method.clone(),
        verdict: None,
    }
}

fn vanished() -> Error {
    Error::Unavailable("a payment row vanished while it was read".to_owned())
}

fn status(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Captured => "captured",
        Verdict::Declined(_) => "declined",
    }
}

fn reason(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::Captured => None,
        Verdict::Declined(reason) => reason.as_ref().map(Reason::as_str),
    }
}
