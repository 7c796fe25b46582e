//! Payments: start and verdict of each charge. One row per order, so that a request that is
//! delivered again finds the earlier attempt.

use std::collections::HashMap;
use std::time::Duration;

use domain::{Amount, Currency, OrderId, PaymentId, PaymentMethod, Reason, Verdict, WorkerName};
use tokio_postgres::Row;

use crate::row::{checked, column, parsed, parsed_option};
use crate::{Db, Error};

mod prune;
mod scheduled;
mod unanswered;

use prune::with_pruned;
pub use prune::{PruneStep, copy_pruned, pruned, remove_pruned};
pub use scheduled::{ScheduledCopy, note_scheduled};
pub use unanswered::{Unanswered, note_unanswered};

/// The command to start a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartPayment {
    /// Order to charge.
    pub order_id: OrderId,
    /// Id of the payment, used if the order has no payment yet.
    pub payment_id: PaymentId,
    /// Amount to charge.
    pub amount: Amount,
    /// Currency of the amount.
    pub currency: Currency,
    /// Payment method to charge.
    pub payment_method: Option<PaymentMethod>,
}

/// A payment as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Id of the payment.
    pub id: PaymentId,
    /// Amount of the first request.
    pub amount: Amount,
    /// Currency of the amount.
    pub currency: Currency,
    /// Payment method of the first request.
    pub payment_method: Option<PaymentMethod>,
    /// The recorded verdict, if any.
    pub verdict: Option<Verdict>,
    /// Number of attempts of workers, this one included.
    pub attempt: i32,
    /// Number of the scheduled copy of the request, unless that copy is overdue; 0 without one.
    pub scheduled: i32,
}

/// The result of starting a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartOutcome {
    /// The payment is new: the gateway has never been asked about this order.
    First(Payment),
    /// The payment was started before: the gateway may have been asked.
    Again(Payment),
}

const START: &str = "
    insert into payments.payments
           (order_id, payment_id, amount_minor, currency, payment_method, started_by)
    select s.*, $6
      from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[])
        as s (order_id, payment_id, amount_minor, currency, payment_method)
     where not exists (select from payments.pruned_payments g where g.order_id = s.order_id)
     order by s.order_id
    on conflict (order_id) do nothing
    returning order_id, payment_id";

/// Starts payments, all in one commit. A payment that was started before keeps its terms; the
/// attempt is counted. A payment whose details were removed keeps its verdict. A scheduled copy is overdue
/// `grace` after its due time. Returns one outcome per command, in the order of `batch`.
pub async fn start(
    db: &Db,
    worker: &WorkerName,
    batch: &[StartPayment],
    grace: Duration,
) -> Result<Vec<StartOutcome>, Error> {
    let orders: Vec<_> = batch.iter().map(|s| s.order_id.0).collect();
    let ids: Vec<_> = batch.iter().map(|s| s.payment_id.0).collect();
    let amounts: Vec<_> = batch.iter().map(|s| s.amount.minor()).collect();
    let currencies: Vec<_> = batch.iter().map(|s| s.currency.code()).collect();
    let methods: Vec<_> =
        batch.iter().map(|s| s.payment_method.as_ref().map(PaymentMethod::as_str)).collect();
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&orders, &ids, &amounts, &currencies, &methods, &worker.as_str()];
    let rows = db.query(START, &params).await?;
    let mut first = HashMap::new();
    for row in &rows {
        first.insert(OrderId(column(row, "order_id")?), PaymentId(column(row, "payment_id")?));
    }
    let is_first = |s: &StartPayment| first.get(&s.order_id) == Some(&s.payment_id);
    let earlier: Vec<&StartPayment> = batch.iter().filter(|s| !is_first(s)).collect();
    let stored = if earlier.is_empty() {
        HashMap::new()
    } else {
        resume(db, worker, earlier, grace).await?
    };
    let outcome = |s: &StartPayment| match is_first(s) {
        true => Ok(StartOutcome::First(new_payment(s))),
        false => stored.get(&s.order_id).cloned().map(StartOutcome::Again).ok_or_else(vanished),
    };
    batch.iter().map(outcome).collect()
}

// A row that has the command's payment id was inserted by an earlier run of START whose answer was
// lost: that is the same attempt, and is not counted again.
const RESUME: &str = "
    update payments.payments p
       set taken = case when p.payment_id = s.payment_id then p.taken
                        else coalesce(p.taken, 1) + 1 end,
           taken_at = case when p.payment_id = s.payment_id then p.taken_at else now() end,
           taken_by = case when p.payment_id = s.payment_id then p.taken_by else $3 end
      from unnest($1::uuid[], $2::uuid[]) as s (order_id, payment_id)
     where p.order_id = s.order_id
    returning p.order_id, p.payment_id, p.amount_minor, p.currency, p.payment_method,
              p.status::text, p.reason, coalesce(p.taken, 1) as attempt,
              case when p.scheduled_due > now() - $4::float8 * interval '1 millisecond'
                   then p.scheduled_number else 0 end as scheduled";

async fn resume(
    db: &Db,
    worker: &WorkerName,
    mut commands: Vec<&StartPayment>,
    grace: Duration,
) -> Result<HashMap<OrderId, Payment>, Error> {
    // Sorted, so that two workers cannot wait for each other.
    commands.sort_by_key(|s| s.order_id);
    let orders: Vec<_> = commands.iter().map(|s| s.order_id.0).collect();
    let ids: Vec<_> = commands.iter().map(|s| s.payment_id.0).collect();
    let grace_ms = grace.as_secs_f64() * 1000.0;
    let rows = db.query(RESUME, &[&orders, &ids, &worker.as_str(), &grace_ms]).await?;
    let resumed = rows.iter().map(payment_from_row).collect::<Result<_, _>>()?;
    with_pruned(db, resumed, commands.iter().map(|s| s.order_id)).await
}

/// The command to record the verdict of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishPayment {
    /// Order that was charged.
    pub order_id: OrderId,
    /// The gateway's verdict.
    pub verdict: Verdict,
    /// Attempt in which the gateway was asked: [`Payment::attempt`].
    pub attempt: i32,
}

const FINISH: &str = "
    update payments.payments p
       set status = f.status, reason = f.reason, finished_at = now(),
           ended_by = nullif($5, p.started_by), ended_at_attempt = nullif(f.attempt, 1)
      from unnest($1::uuid[], $2::text[]::payments.status[], $3::text[], $4::integer[])
             as f (order_id, status, reason, attempt)
     where p.order_id = f.order_id and p.status = 'started'
    returning p.order_id";

/// Records verdicts, all in one commit. The first verdict recorded for a payment stays. Returns the
/// recorded verdicts, in the order of `batch`.
pub async fn finish(
    db: &Db,
    worker: &WorkerName,
    batch: &[FinishPayment],
) -> Result<Vec<Verdict>, Error> {
    let mut sorted: Vec<&FinishPayment> = batch.iter().collect();
    sorted.sort_by_key(|f| f.order_id);
    sorted.dedup_by_key(|f| f.order_id);
    let orders: Vec<_> = sorted.iter().map(|f| f.order_id.0).collect();
    let statuses: Vec<_> = sorted.iter().map(|f| status(&f.verdict)).collect();
    let reasons: Vec<_> = sorted.iter().map(|f| reason(&f.verdict)).collect();
    let attempts: Vec<_> = sorted.iter().map(|f| f.attempt).collect();
    let rows =
        db.query(FINISH, &[&orders, &statuses, &reasons, &attempts, &worker.as_str()]).await?;
    if rows.len() == batch.len() {
        return Ok(batch.iter().map(|f| f.verdict.clone()).collect());
    }
    let stored = find(db, batch.iter().map(|f| f.order_id)).await?;
    let recorded = |f: &FinishPayment| stored.get(&f.order_id).and_then(|p| p.verdict.clone());
    batch.iter().map(|f| recorded(f).ok_or_else(vanished)).collect()
}

const FIND: &str = "
    select order_id, payment_id, amount_minor, currency, payment_method, status::text, reason,
           coalesce(taken, 1) as attempt, 0 as scheduled
      from payments.payments where order_id = any($1)";

async fn find(
    db: &Db,
    orders: impl Iterator<Item = OrderId>,
) -> Result<HashMap<OrderId, Payment>, Error> {
    let ids: Vec<OrderId> = orders.collect();
    let orders: Vec<_> = ids.iter().map(|id| id.0).collect();
    let rows = db.query(FIND, &[&orders]).await?;
    let found = rows.iter().map(payment_from_row).collect::<Result<_, _>>()?;
    with_pruned(db, found, ids.into_iter()).await
}

fn payment_from_row(row: &Row) -> Result<(OrderId, Payment), Error> {
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
        attempt: column(row, "attempt")?,
        scheduled: column(row, "scheduled")?,
    };
    Ok((OrderId(column(row, "order_id")?), payment))
}

fn new_payment(command: &StartPayment) -> Payment {
    Payment {
        id: command.payment_id,
        amount: command.amount,
        currency: command.currency,
        payment_method: command.payment_method.clone(),
        verdict: None,
        attempt: 1,
        scheduled: 0,
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
