use domain::{GatewayCall, OrderId, PaymentId, Reason, Verdict};
use time::OffsetDateTime;
use tokio_postgres::Row;

use crate::row::{column, parsed};
use crate::{Db, Error};

/// The workers' part of an order's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Id of the payment.
    pub id: PaymentId,
    /// The first attempt; `None` if the details of the payment were removed.
    pub started: Option<Attempt>,
    /// The last attempt, if it is not the first.
    pub resumed: Option<Attempt>,
    /// The verdict, and the attempt that recorded the verdict.
    pub ended: Option<(Verdict, Attempt)>,
    /// Calls to the gateway without an answer, oldest first; only the newest are kept.
    pub unanswered: Vec<UnansweredCall>,
}

/// An attempt of a worker to process a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Time of the record.
    pub at: OffsetDateTime,
    /// Name of the worker; `None` for a payment that is older than the workers' names.
    pub worker: Option<String>,
    /// Number of the attempt, from 1.
    pub number: i32,
}

/// A call to the gateway without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnansweredCall {
    /// The attempt that made the call. Its time is the time of the record.
    pub attempt: Attempt,
    /// The call.
    pub call: GatewayCall,
    /// Reason of the missing answer.
    pub why: String,
}

// A null means the usual value: see the columns' migration. A payment whose details were removed has
// its verdict only.
const PAYMENTS: &str = "
    select p.payment_id, p.status::text, p.reason, p.started_at, p.started_by, p.taken, p.taken_at,
           p.taken_by, p.finished_at, coalesce(p.ended_by, p.started_by) as ended_by,
           coalesce(p.ended_at_attempt, 1) as ended_at_attempt,
           c.operation, c.why, c.at, c.worker, c.attempt
      from payments.payments p
      left join payments.unanswered_calls c on c.order_id = p.order_id
     where p.order_id = $1
    union all
    select g.payment_id, case when g.captured then 'captured' else 'declined' end, null, null, null,
           null, null, null, g.finished_at, null, 1, null, null, null, null, null
      from payments.pruned_payments g
     where g.order_id = $1
       and not exists (select from payments.payments p where p.order_id = g.order_id)
     order by attempt";

/// Returns the workers' part of an order's history; `None` if no worker has begun. The statement is
/// not repeated on another connection: the timeline is useful without this part, and its reader
/// waits.
pub async fn payments(db: &Db, id: OrderId) -> Result<Option<Payment>, Error> {
    let rows = db.query_once(PAYMENTS, &[&id.0]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let unanswered = rows.iter().filter_map(|row| unanswered_from_row(row).transpose());
    Ok(Some(Payment {
        id: PaymentId(column(row, "payment_id")?),
        started: started_from_row(row)?,
        resumed: resumed_from_row(row)?,
        ended: ended_from_row(row)?,
        unanswered: unanswered.collect::<Result<_, _>>()?,
    }))
}

fn started_from_row(row: &Row) -> Result<Option<Attempt>, Error> {
    let at: Option<OffsetDateTime> = column(row, "started_at")?;
    let worker = column(row, "started_by")?;
    Ok(at.map(|at| Attempt { at, worker, number: 1 }))
}

fn resumed_from_row(row: &Row) -> Result<Option<Attempt>, Error> {
    let (Some(number), Some(at)) = (column(row, "taken")?, column(row, "taken_at")?) else {
        return Ok(None);
    };
    Ok(Some(Attempt { at, worker: column(row, "taken_by")?, number }))
}

fn ended_from_row(row: &Row) -> Result<Option<(Verdict, Attempt)>, Error> {
    let reason: Option<&str> = column(row, "reason")?;
    let verdict = match column(row, "status")? {
        "captured" => Verdict::Captured,
        "declined" => Verdict::Declined(reason.map(Reason::from_text)),
        _ => return Ok(None),
    };
    // A verdict without a time was written by hand.
    let Some(at) = column(row, "finished_at")? else { return Ok(None) };
    let (worker, number) = (column(row, "ended_by")?, column(row, "ended_at_attempt")?);
    Ok(Some((verdict, Attempt { at, worker, number })))
}

fn unanswered_from_row(row: &Row) -> Result<Option<UnansweredCall>, Error> {
    if column::<Option<&str>>(row, "operation")?.is_none() {
        return Ok(None);
    }
    Ok(Some(UnansweredCall {
        attempt: Attempt {
            at: column(row, "at")?,
            worker: column(row, "worker")?,
            number: column(row, "attempt")?,
        },
        call: parsed(row, "operation")?,
        why: column(row, "why")?,
    }))
}
