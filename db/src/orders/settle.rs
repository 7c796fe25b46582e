use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::{OrderId, OrderStatus, Reason, Verdict};
use tokio_postgres::Row;

use crate::row::{column, parsed};
use crate::{Db, Error};

/// The command to settle an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleOrder {
    /// The order.
    pub id: OrderId,
    /// The gateway's verdict.
    pub verdict: Verdict,
}

/// The effect of a verdict on its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettleOutcome {
    /// The order moved to its final status.
    Moved {
        /// Time since the order was placed, by the database's clock.
        after: Duration,
    },
    /// The order already had this final status.
    Repeated,
    /// The order already had the other final status, and keeps that status (P5).
    Contradicting,
    /// The order does not exist.
    UnknownOrder,
}

const SETTLE: &str = "
    with moved as (
        update orders o
           set status = r.status, cancel_reason = r.reason, updated_at = now()
          from unnest($1::uuid[], $2::text[]::order_status[], $3::text[]) as r (id, status, reason)
         where o.id = r.id and o.status = 'Pending'
        returning o.id, o.status, o.updated_at - o.created_at as age
    ), canceled as (
        insert into canceled_orders (order_id) select id from moved where status = 'Canceled'
    )
    select id, extract(epoch from age)::float8 as age from moved";

/// Moves pending orders to their final status, all in one commit. Returns one outcome per command,
/// in the order of `batch`. An order that is already final stays unchanged (P5). Of two verdicts
/// for one order in the same batch the first counts.
pub async fn settle(db: &Db, batch: &[SettleOrder]) -> Result<Vec<SettleOutcome>, Error> {
    let mut seen = HashSet::new();
    let mut firsts: Vec<&SettleOrder> = batch.iter().filter(|s| seen.insert(s.id)).collect();
    // Two sorted batches that share orders mostly lock them in the same sequence. Where they do
    // not, PostgreSQL breaks the deadlock, and the statement that lost is repeated.
    firsts.sort_unstable_by_key(|s| s.id);
    let ids: Vec<_> = firsts.iter().map(|s| s.id.0).collect();
    let statuses: Vec<_> = firsts.iter().map(|s| status(&s.verdict).as_str()).collect();
    let reasons: Vec<_> = firsts.iter().map(|s| reason(&s.verdict)).collect();
    let rows = db.query(SETTLE, &[&ids, &statuses, &reasons]).await?;
    let mut moved: HashMap<OrderId, Duration> =
        rows.iter().map(moved_from_row).collect::<Result<_, _>>()?;
    let all_moved = moved.len() == batch.len();
    let known = if all_moved { HashMap::new() } else { statuses_of(db, batch).await? };
    // `remove`: only the first of several verdicts for one order has moved it.
    let outcome = |s: &SettleOrder| match (moved.remove(&s.id), known.get(&s.id)) {
        (Some(after), _) => SettleOutcome::Moved { after },
        (None, None) => SettleOutcome::UnknownOrder,
        (None, Some(found)) if *found == status(&s.verdict) => SettleOutcome::Repeated,
        (None, Some(_)) => SettleOutcome::Contradicting,
    };
    Ok(batch.iter().map(outcome).collect())
}

fn moved_from_row(row: &Row) -> Result<(OrderId, Duration), Error> {
    let age: f64 = column(row, "age")?;
    Ok((OrderId(column(row, "id")?), Duration::from_secs_f64(age.max(0.0))))
}

const STATUSES: &str = "select id, status::text from orders where id = any($1)";

async fn statuses_of(
    db: &Db,
    batch: &[SettleOrder],
) -> Result<HashMap<OrderId, OrderStatus>, Error> {
    let ids: Vec<_> = batch.iter().map(|s| s.id.0).collect();
    let rows = db.query(STATUSES, &[&ids]).await?;
    rows.iter().map(|row| Ok((OrderId(column(row, "id")?), parsed(row, "status")?))).collect()
}

fn status(verdict: &Verdict) -> OrderStatus {
    match verdict {
        Verdict::Captured => OrderStatus::Confirmed,
        Verdict::Declined(_) => OrderStatus::Canceled,
    }
}

fn reason(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::Captured => None,
        Verdict::Declined(reason) => reason.as_ref().map(Reason::as_str),
    }
}
