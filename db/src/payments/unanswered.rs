//! Calls to the gateway that got no answer. No decision depends on them; the timeline shows them as
//! the reason of an order's delay.

use domain::{GatewayCall, OrderId, WorkerName};

use crate::{Db, Error};

/// Number of calls kept per order, the newest.
const KEPT: i32 = 20;

/// A call to the gateway without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// Order to charge.
    pub order_id: OrderId,
    /// Attempt of the worker. At most one call per attempt has no answer.
    pub attempt: i32,
    /// The call.
    pub call: GatewayCall,
    /// Reason of the missing answer.
    pub why: &'static str,
}

// An attempt replaces the attempt `KEPT` before it. The two are never in the same batch; `distinct
// on` keeps the statement from failing if they were.
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

/// Records calls without an answer, all in one commit. The newest 20 of each order are kept.
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
