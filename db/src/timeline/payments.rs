use domain::{OrderId, PaymentId, Reason, Verdict};
use tokio_postgres::Row;

use super::{Payment, Taken, UnansweredCall};
use crate::row::{column, parsed};
use crate::{Db, Error};

// What is null says the usual: see the columns' migration.
const PAYMENTS: &str = "
    select p.payment_id, p.status::text, p.reason, p.started_at, p.started_by, p.taken, p.taken_at,
           p.taken_by, p.finished_at, coalesce(p.ended_by, p.started_by) as ended_by,
           coalesce(p.ended_at_attempt, 1) as ended_at_attempt,
           c.operation, c.why, c.at, c.worker, c.attempt
      from payments.payments p
      left join payments.unanswered_calls c on c.order_id = p.order_id
     where p.order_id = $1
     order by c.attempt";

/// What the workers know of an order's way; `None` if none of them has begun. Asked once and not again:
/// the rest can be told without it, and somebody waits.
pub async fn payments(db: &Db, id: OrderId) -> Result<Option<Payment>, Error> {
    let rows = db.query_once(PAYMENTS, &[&id.0]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let unanswered = rows.iter().filter_map(|row| unanswered(row).transpose());
    Ok(Some(Payment {
        id: PaymentId(column(row, "payment_id")?),
        begun: Taken {
            at: column(row, "started_at")?,
            worker: column(row, "started_by")?,
            attempt: 1,
        },
        again: again(row)?,
        ended: ended(row)?,
        unanswered: unanswered.collect::<Result<_, _>>()?,
    }))
}

fn again(row: &Row) -> Result<Option<Taken>, Error> {
    let (Some(attempt), Some(at)) = (column(row, "taken")?, column(row, "taken_at")?) else {
        return Ok(None);
    };
    Ok(Some(Taken { at, worker: column(row, "taken_by")?, attempt }))
}

fn ended(row: &Row) -> Result<Option<(Verdict, Taken)>, Error> {
    let reason: Option<&str> = column(row, "reason")?;
    let verdict = match column(row, "status")? {
        "captured" => Verdict::Captured,
        "declined" => Verdict::Declined(reason.map(Reason::from_text)),
        _ => return Ok(None),
    };
    // One that ended at no time was ended by hand.
    let Some(at) = column(row, "finished_at")? else { return Ok(None) };
    let (worker, attempt) = (column(row, "ended_by")?, column(row, "ended_at_attempt")?);
    Ok(Some((verdict, Taken { at, worker, attempt })))
}

fn unanswered(row: &Row) -> Result<Option<UnansweredCall>, Error> {
    if column::<Option<&str>>(row, "operation")?.is_none() {
        return Ok(None);
    }
    Ok(Some(UnansweredCall {
        taken: Taken {
            at: column(row, "at")?,
            worker: column(row, "worker")?,
            attempt: column(row, "attempt")?,
        },
        call: parsed(row, "operation")?,
        why: column(row, "why")?,
    }))
}
