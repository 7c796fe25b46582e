use domain::{OrderId, OrderStatus};
use time::OffsetDateTime;
use tokio_postgres::Row;

use super::{DeadLetterAction, InOutbox, Rerequested, Shop};
use crate::row::{column, parsed, parsed_option};
use crate::{Db, Error};

/// How many rows of the outbox are looked through, the oldest.
const OUTBOX_ROWS: i64 = 20_000;
/// How many actions on dead letters are told, the newest.
const LETTERS: i64 = 100;

// A row of the outbox was queued in the commit that placed the order or asked for it again: the same
// time, so that few rows have their orders looked through. An order that is not pending waits nowhere.
// The actions are sorted by what no index has: they are found by their order, however many there are.
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
                     where o.status = 'Pending' order by id limit $2) q
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

/// What the shop knows of an order's way; `None` if there is no such order.
pub async fn shop(db: &Db, id: OrderId) -> Result<Option<Shop>, Error> {
    let rows = db.query(SHOP, &[&id.0, &OUTBOX_ROWS, &LETTERS]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let status: OrderStatus = parsed(row, "status")?;
    let letters = rows.iter().filter_map(|row| letter(row).transpose());
    Ok(Some(Shop {
        status,
        cancel_reason: column::<Option<&str>>(row, "cancel_reason")?.map(domain::Reason::from_text),
        placed_at: column(row, "created_at")?,
        moved_at: column(row, "updated_at")?,
        outbox: outbox(row)?,
        asked_again: asked_again(row)?,
        letters: letters.collect::<Result<_, _>>()?,
    }))
}

fn outbox(row: &Row) -> Result<InOutbox, Error> {
    let behind: Option<bool> = column(row, "behind")?;
    Ok(match column(row, "queued_at")? {
        Some(at) => InOutbox::Since(at),
        None if behind == Some(true) => InOutbox::Behind,
        None => InOutbox::No,
    })
}

fn asked_again(row: &Row) -> Result<Option<Rerequested>, Error> {
    let (times, at): (Option<i32>, Option<OffsetDateTime>) =
        (column(row, "asked")?, column(row, "waiting_since")?);
    let asked = times.filter(|times| *times > 0).zip(at);
    Ok(asked.map(|(times, at)| Rerequested { times, at }))
}

fn letter(row: &Row) -> Result<Option<DeadLetterAction>, Error> {
    let (Some(letter), Some(kind), Some(outcome)) =
        (column(row, "letter_id")?, parsed_option(row, "action")?, parsed_option(row, "outcome")?)
    else {
        return Ok(None);
    };
    Ok(Some(DeadLetterAction {
        letter,
        queue: column(row, "queue")?,
        reason: column(row, "reason")?,
        parked_at: column(row, "parked_at")?,
        kind,
        outcome,
        by: column(row, "done_by")?,
        at: column(row, "begun_at")?,
    }))
}
