//! The simulated gateway's books: they stand in for a company elsewhere, so nothing here joins
//! or changes what the workers store.

use std::collections::HashSet;

use domain::{Amount, Currency, OrderId};

use super::row::column;
use super::{Db, Error};

/// Money taken under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The caller's key: the same key never captures twice.
    pub key: String,
    /// What the caller says it is for.
    pub order_id: OrderId,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
}

const CAPTURE: &str = "
    insert into simulated_gateway.captures (key, order_id, amount_minor, currency)
    select * from unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[])
        as c (key, order_id, amount_minor, currency)
     order by c.key
    on conflict (key) do nothing";

/// Captures money, all in one commit; a key that captured before captures nothing more.
pub async fn capture(db: &Db, batch: &[Capture]) -> Result<(), Error> {
    let keys: Vec<_> = batch.iter().map(|c| c.key.as_str()).collect();
    let orders: Vec<_> = batch.iter().map(|c| c.order_id.0).collect();
    let amounts: Vec<_> = batch.iter().map(|c| c.amount.minor()).collect();
    let currencies: Vec<_> = batch.iter().map(|c| c.currency.code()).collect();
    db.query(CAPTURE, &[&keys, &orders, &amounts, &currencies]).await.map(drop)
}

const CAPTURED: &str = "select key from simulated_gateway.captures where key = any($1)";

/// Which of `keys` have captured money.
pub async fn captured(db: &Db, keys: &[String]) -> Result<HashSet<String>, Error> {
    db.query(CAPTURED, &[&keys]).await?.iter().map(|row| column(row, "key")).collect()
}

const ATTEMPT: &str = "
    insert into simulated_gateway.attempts as a (key, count) values ($1, 1)
    on conflict (key) do update set count = a.count + 1
    returning count";

/// Counts one more attempt under `key`; how many there were, this one included. Repeating it
/// counts again.
pub async fn attempt(db: &Db, key: &str) -> Result<i32, Error> {
    let rows = db.query_once(ATTEMPT, &[&key]).await?;
    let row = rows.first().ok_or_else(|| Error::Refused("no row came back".to_owned()))?;
    column(row, "count")
}
