use domain::{OrderId, OrderStatus, Reason};
use time::OffsetDateTime;
use tokio_postgres::Row;

use crate::dead_letters::{ActionKind, Outcome};
use crate::row::{column, parsed, parsed_option};
use crate::{Db, Error};

/// Number of outbox rows that are searched for the order, the oldest.
const OUTBOX_ROWS: i64 = 20_000;
/// Largest number of actions on dead letters in the result, the newest.
const ACTIONS_MAX: i64 = 100;

/// The shop's part of an order's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shop {
    /// Status of the order.
    pub status: OrderStatus,
    /// Reason of the cancellation, if any.
    pub cancel_reason: Option<Reason>,
    /// Time of the commit that placed the order.
    pub placed_at: OffsetDateTime,
    /// Time at which the status last moved.
    pub moved_at: OffsetDateTime,
    /// The order's payment request in the outbox.
    pub outbox: InOutbox,
    /// The re-requests of the order, if any.
    pub rerequested: Option<Rerequested>,
    /// Actions on dead letters that contain the order, oldest first; the newest hundred.
    pub dead_letter_actions: Vec<DeadLetterAction>,
}

/// State of a payment request in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InOutbox {
    /// The request is not in the outbox: the broker has confirmed it.
    No,
    /// The request has waited in the outbox since this time.
    Since(OffsetDateTime),
    /// The searched rows do not contain the request, and all of them are older than the order: the
    /// request waits further back.
    Behind,
}

/// The re-requests of an overdue order. Recorded while the order is overdue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rerequested {
    /// Number of re-requests.
    pub times: i32,
    /// Time of the last one.
    pub at: OffsetDateTime,
}

/// An operator's action on a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterAction {
    /// Id of the dead letter.
    pub dead_letter_id: String,
    /// Name of the dead-letter queue.
    pub queue: String,
    /// Code of the reason for dead-lettering.
    pub reason: String,
    /// Time of the dead-lettering, in whole seconds, by the clock of the process that did it.
    pub dead_lettered_at: Option<OffsetDateTime>,
    /// Kind of the action.
    pub kind: ActionKind,
    /// Outcome of the action.
    pub outcome: Outcome,
    /// Name of the operator.
    pub by: String,
    /// Time of the beginning.
    pub at: OffsetDateTime,
}

// A row of the outbox has the time of the commit that placed or re-requested the order, so that the
// orders of few rows are searched. An order that is not pending waits nowhere. No index has the
// order of the actions: they are found by their order's id, however many actions there are.
const SHOP: &str = "
    select o.status::text, o.cancel_reason, o.created_at, o.updated_at, l.asked, l.waiting_since,
           w.queued_at, w.behind, a.*
      from orders o
      left join late_orders l on l.order_id = o.id
      left join lateral (
            select min(q.queued_at) filter (
                       where (q.queued_at = o.created_at or q.queued_at = l.waiting_since)
                         and o.id = any(q.order_ids)) as queued_at,
                   count(*) = $2 and max(q.queued_at) < o.created_at as behind
              from (select queued_at, order_ids from outbox
                     where o.status = 'Pending' and id > (select id from outbox_start)
                     order by id limit $2) q
           ) w on true
      left join lateral (
            select letter_id, queue, reason, parked_at, action, outcome, done_by, begun_at,
                   id as action_id
              from dead_letter_actions
             where order_ids @> array[o.id]
             order by begun_at desc, action_id desc limit $3
           ) a on true
     where o.id = $1
     order by a.begun_at, a.action_id";

/// Returns the shop's part of an order's history; `None` if the order does not exist.
pub async fn shop(db: &Db, id: OrderId) -> Result<Option<Shop>, Error> {
    let rows = db.query(SHOP, &[&id.0, &OUTBOX_ROWS, &ACTIONS_MAX]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let status: OrderStatus = parsed(row, "status")?;
    let actions = rows.iter().filter_map(|row| action_from_row(row).transpose());
    Ok(Some(Shop {
        status,
        cancel_reason: column::<Option<&str>>(row, "cancel_reason")?.map(Reason::from_text),
        placed_at: column(row, "created_at")?,
        moved_at: column(row, "updated_at")?,
        outbox: outbox_from_row(row)?,
        rerequested: rerequested_from_row(row)?,
        dead_letter_actions: actions.collect::<Result<_, _>>()?,
    }))
}

fn outbox_from_row(row: &Row) -> Result<InOutbox, Error> {
    let behind: Option<bool> = column(row, "behind")?;
    Ok(match column(row, "queued_at")? {
        Some(at) => InOutbox::Since(at),
        None if behind == Some(true) => InOutbox::Behind,
        None => InOutbox::No,
    })
}

fn rerequested_from_row(row: &Row) -> Result<Option<Rerequested>, Error> {
    let (times, at): (Option<i32>, Option<OffsetDateTime>) =
        (column(row, "asked")?, column(row, "waiting_since")?);
    let rerequests = times.filter(|times| *times > 0).zip(at);
    Ok(rerequests.map(|(times, at)| Rerequested { times, at }))
}

fn action_from_row(row: &Row) -> Result<Option<DeadLetterAction>, Error> {
    let (Some(dead_letter_id), Some(kind), Some(outcome)) =
        (column(row, "letter_id")?, parsed_option(row, "action")?, parsed_option(row, "outcome")?)
    else {
        return Ok(None);
    };
    Ok(Some(DeadLetterAction {
        dead_letter_id,
        queue: column(row, "queue")?,
        reason: column(row, "reason")?,
        dead_lettered_at: column(row, "parked_at")?,
        kind,
        outcome,
        by: column(row, "done_by")?,
        at: column(row, "begun_at")?,
    }))
}
