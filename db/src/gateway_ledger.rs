//! The simulated gateway's ledger. The gateway stands for another company: no statement here joins
//! the workers' tables or changes them.

use std::collections::HashSet;

use domain::{Amount, Currency, OrderId};

use crate::row::column;
use crate::{Db, Error};

/// Money captured under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The caller's key. One key captures at most once.
    pub key: String,
    /// The order that the caller named.
    pub order_id: OrderId,
    /// Captured amount.
    pub amount: Amount,
    /// Currency of the amount.
    pub currency: Currency,
}

const CAPTURE: &str = "
    insert into simulated_gateway.captures (key, order_id, amount_minor, currency)
    select * from unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[])
        as c (key, order_id, amount_minor, currency)
     order by c.key
    on conflict (key) do nothing";

/// Captures money, all in one commit. A key that has captured before captures nothing more.
pub async fn capture(db: &Db, batch: &[Capture]) -> Result<(), Error> {
    let keys: Vec<_> = batch.iter().map(|c| c.key.as_str()).collect();
    let orders: Vec<_> = batch.iter().map(|c| c.order_id.0).collect();
    let amounts: Vec<_> = batch.iter().map(|c| c.amount.minor()).collect();
    let currencies: Vec<_> = batch.iter().map(|c| c.currency.code()).collect();
    db.query(CAPTURE, &[&keys, &orders, &amounts, &currencies]).await.map(drop)
}

const CAPTURED: &str = "select key from simulated_gateway.captures where key = any($1)";

/// Returns those of `keys` that have captured money.
pub async fn captured(db: &Db, keys: &[String]) -> Result<HashSet<String>, Error> {
    db.query(CAPTURED, &[&keys]).await?.iter().map(|row| column(row, "key")).collect()
}

const ATTEMPT: &str = "
    insert into simulated_gateway.attempts as a (key, count) values ($1, 1)
    on conflict (key) do update set count = a.count + 1
    returning count";

/// Counts an attempt under `key` and returns the number of attempts, this one included. A repeated
/// call counts again.
pub async fn attempt(db: &Db, key: &str) -> Result<i32, Error> {
    let rows = db.query_once(ATTEMPT, &[&key]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no row came back".to_owned()))?;
    column(row, "count")
}
