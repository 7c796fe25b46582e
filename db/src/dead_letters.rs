//! What people did to dead letters: written down before it is done, and how it ended after that.

use domain::{ActionId, OrderId};
use time::OffsetDateTime;
use tokio_postgres::Row;

use super::row::{column, parsed};
use super::{Db, Error};

mod labels;
mod lock;

pub use labels::{ActionKind, Outcome};
pub use lock::{DeadLetterLock, lock};

/// Something that is about to be done to a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAction {
    /// Made by the caller, so that it may be written down twice.
    pub id: ActionId,
    /// What.
    pub kind: ActionKind,
    /// Who says so.
    pub by: String,
    /// Why.
    pub note: Option<String>,
    /// To which letter.
    pub letter: Letter,
}

/// A dead letter as it is kept with an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its name.
    pub id: String,
    /// The dead-letter queue it lay in.
    pub queue: String,
    /// Why it lay there.
    pub reason: String,
    /// The same for a person.
    pub detail: Option<String>,
    /// The message's id.
    pub message_id: Option<String>,
    /// The orders it is about.
    pub order_ids: Vec<OrderId>,
    /// How often its work was begun without an end.
    pub attempts: i64,
    /// How often it had been put back before.
    pub replays: i64,
    /// When it was parked.
    pub parked_at: Option<OffsetDateTime>,
    /// What stood on it, as JSON.
    pub properties: String,
    /// What stood in it.
    pub body: Vec<u8>,
}

// An array of arrays has to be a rectangle, so the orders of each come as one text.
const BEGIN: &str = "
    insert into dead_letter_actions
           (id, action, done_by, note, letter_id, queue, reason, detail, message_id, order_ids,
            attempts, replays, parked_at, properties, body)
    select id, action, done_by, note, letter_id, queue, reason, detail, message_id,
           string_to_array(order_ids, ',')::uuid[], attempts, replays, parked_at, properties, body
      from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                  $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bigint[],
                  $13::timestamptz[], $14::text[], $15::bytea[])
             as a (id, action, done_by, note, letter_id, queue, reason, detail, message_id,
                   order_ids, attempts, replays, parked_at, properties, body)
    on conflict (id) do nothing";

/// Writes down what is about to be done, all in one commit.
pub async fn begin(db: &Db, actions: &[NewAction]) -> Result<(), Error> {
    fn each<'a, T>(actions: &'a [NewAction], field: impl Fn(&'a NewAction) -> T) -> Vec<T> {
        actions.iter().map(field).collect()
    }
    let orders = |a: &NewAction| {
        let ids: Vec<String> = a.letter.order_ids.iter().map(ToString::to_string).collect();
        ids.join(",")
    };
    db.query(
        BEGIN,
        &[
            &each(actions, |a| a.id.0),
            &each(actions, |a| a.kind.as_str()),
            &each(actions, |a| &a.by),
            &each(actions, |a| &a.note),
            &each(actions, |a| &a.letter.id),
            &each(actions, |a| &a.letter.queue),
            &each(actions, |a| &a.letter.reason),
            &each(actions, |a| &a.letter.detail),
            &each(actions, |a| &a.letter.message_id),
            &each(actions, orders),
            &each(actions, |a| a.letter.attempts),
            &each(actions, |a| a.letter.replays),
            &each(actions, |a| a.letter.parked_at),
            &each(actions, |a| &a.letter.properties),
            &each(actions, |a| &a.letter.body),
        ],
    )
    .await
    .map(drop)
}

const END: &str = "
    update dead_letter_actions set outcome = $2, ended_at = now()
     where id = any($1) and outcome = 'begun'";

/// Writes down how actions ended; what has an end keeps it.
pub async fn end(db: &Db, actions: &[ActionId], outcome: Outcome) -> Result<(), Error> {
    let ids: Vec<_> = actions.iter().map(|id| id.0).collect();
    db.query(END, &[&ids, &outcome.as_str()]).await.map(drop)
}

/// An action as it is listed: with all of its letter but what stood on and in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its name.
    pub id: ActionId,
    /// What was done.
    pub kind: ActionKind,
    /// How it ended.
    pub outcome: Outcome,
    /// Who said so.
    pub by: String,
    /// Why.
    pub note: Option<String>,
    /// When it was begun.
    pub begun_at: OffsetDateTime,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
    /// To which letter.
    pub letter: Letter,
}

macro_rules! select_actions {
    ($contents:literal, $from_and_filter:literal) => {
        concat!(
            "select id, action, outcome, done_by, note, begun_at, ended_at, letter_id, queue,
                    reason, detail, message_id, order_ids, attempts, replays, parked_at, ",
            $contents,
            " from dead_letter_actions ",
            $from_and_filter
        )
    };
}

const LIST: &str = select_actions!(
    "'' as properties, ''::bytea as body",
    "where id < $1 and $3::text is null order by id desc limit $2"
);
// In an order that only the index by letter has.
const LIST_OF_LETTER: &str = select_actions!(
    "'' as properties, ''::bytea as body",
    "where letter_id = $3 and id < $1 order by letter_id desc, id desc limit $2"
);

/// Up to `limit` actions, newest first, those before `before`; only those on one letter, if it is
/// named. Their letters come without properties and body.
pub async fn list(
    db: &Db,
    before: Option<ActionId>,
    (limit, letter): (i64, Option<&str>),
) -> Result<Vec<Done>, Error> {
    let before = before.map_or(uuid::Uuid::max(), |id| id.0);
    let statement = if letter.is_some() { LIST_OF_LETTER } else { LIST };
    db.query(statement, &[&before, &limit, &letter]).await?.iter().map(done).collect()
}

const GET: &str = select_actions!("properties, body", "where id = $1");

/// One action with its whole letter.
pub async fn get(db: &Db, id: ActionId) -> Result<Option<Done>, Error> {
    db.query(GET, &[&id.0]).await?.first().map(done).transpose()
}

fn done(row: &Row) -> Result<Done, Error> {
    let orders: Vec<uuid::Uuid> = column(row, "order_ids")?;
    Ok(Done {
        id: ActionId(column(row, "id")?),
        kind: parsed(row, "action")?,
        outcome: parsed(row, "outcome")?,
        by: column(row, "done_by")?,
        note: column(row, "note")?,
        begun_at: column(row, "begun_at")?,
        ended_at: column(row, "ended_at")?,
        letter: Letter {
            id: column(row, "letter_id")?,
            queue: column(row, "queue")?,
            reason: column(row, "reason")?,
            detail: column(row, "detail")?,
            message_id: column(row, "message_id")?,
            order_ids: orders.into_iter().map(OrderId).collect(),
            attempts: column(row, "attempts")?,
            replays: column(row, "replays")?,
            parked_at: column(row, "parked_at")?,
            properties: column(row, "properties")?,
            body: column(row, "body")?,
        },
    })
}
