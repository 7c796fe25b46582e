//! Calls that the gateway gave no answer to. Nothing depends on them: they are for whoever wants to know
//! why an order takes so long.

use domain::{GatewayCall, OrderId, WorkerName};

use crate::{Db, Error};

/// How many are kept of an order, the newest.
const KEPT: i32 = 20;

/// A call without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The order to charge.
    pub order_id: OrderId,
    /// How often it had been taken by then. There is one such call at most each time.
    pub attempt: i32,
    /// What was asked.
    pub call: GatewayCall,
    /// Why there is no answer.
    pub why: &'static str,
}

// One attempt takes the place of the one `KEPT` before it, which is never in the same batch, but a
// statement must not fail if it were.
const NOTE_UNANSWERED: &str = "
    insert into payments.unanswered_calls (order_id, slot, attempt, at, worker, operation, why)
    select distinct on (u.order_id, u.attempt % $5) u.order_id, u.attempt % $5, u.attempt, now(), $6,
           u.operation, u.why
      from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[])
        as u (order_id, attempt, operation, why)
     order by u.order_id, u.attempt % $5, u.attempt desc
    on conflict (order_id, slot) do update
       set attempt = excluded.attempt, at = excluded.at, worker = excluded.worker,
           operation = excluded.operation, why = excluded.why";

/// Notes down calls without an answer, all in one commit; the newest of each order are kept.
pub async fn note_unanswered(
    db: &Db,
    worker: &WorkerName,
    batch: &[Unanswered],
) -> Result<(), Error> {
    let orders: Vec<_> = batch.iter().map(|u| u.order_id.0).collect();
    let attempts: Vec<_> = batch.iter().map(|u| u.attempt).collect();
    let operations: Vec<_> = batch.iter().map(|u| u.call.as_str()).collect();
    let reasons: Vec<_> = batch.iter().map(|u| u.why).collect();
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&orders, &attempts, &operations, &reasons, &KEPT, &worker.as_str()];
    db.query(NOTE_UNANSWERED, &params).await.map(drop)
}
