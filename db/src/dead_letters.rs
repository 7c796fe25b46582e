//! The record of operators' actions on dead letters: stored before an action begins, and once more
//! with its outcome.

use domain::{ActionId, OrderId};
use time::OffsetDateTime;
use tokio_postgres::Row;

use crate::listed::Columns;
use crate::row::{column, parsed};
use crate::unreadable::Table;
use crate::{Db, Error, Listed};

mod labels;
mod lock;

pub use labels::{ActionKind, Outcome};
pub use lock::{DeadLetterLock, lock};

/// An action that is about to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAction {
    /// Id made by the caller, so that storing the action may be repeated.
    pub id: ActionId,
    /// Kind of the action.
    pub kind: ActionKind,
    /// Name of the operator.
    pub by: String,
    /// The operator's reason.
    pub note: Option<String>,
    /// The dead letter.
    pub dead_letter: DeadLetter,
}

/// A dead letter, as the record of an action keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Id of the dead letter.
    pub id: String,
    /// Name of the dead-letter queue.
    pub queue: String,
    /// Code of the reason for dead-lettering.
    pub reason: String,
    /// Text that explains the reason.
    pub detail: Option<String>,
    /// AMQP id of the message.
    pub message_id: Option<String>,
    /// Orders in the message.
    pub order_ids: Vec<OrderId>,
    /// Number of attempts that began and did not end.
    pub attempts: i64,
    /// Number of earlier replays.
    pub replays: i64,
    /// Time of the dead-lettering.
    pub dead_lettered_at: Option<OffsetDateTime>,
    /// Properties and headers of the message, as JSON.
    pub properties: String,
    /// Body of the message.
    pub body: Vec<u8>,
}

// PostgreSQL's arrays of arrays are rectangular, so the order ids of one action travel as one text.
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

/// Stores actions that are about to begin, all in one commit.
pub async fn begin(db: &Db, actions: &[NewAction]) -> Result<(), Error> {
    fn each<'a, T>(actions: &'a [NewAction], field: impl Fn(&'a NewAction) -> T) -> Vec<T> {
        actions.iter().map(field).collect()
    }
    let orders = |a: &NewAction| {
        let ids: Vec<String> = a.dead_letter.order_ids.iter().map(ToString::to_string).collect();
        ids.join(",")
    };
    db.query(
        BEGIN,
        &[
            &each(actions, |a| a.id.0),
            &each(actions, |a| a.kind.as_str()),
            &each(actions, |a| &a.by),
            &each(actions, |a| &a.note),
            &each(actions, |a| &a.dead_letter.id),
            &each(actions, |a| &a.dead_letter.queue),
            &each(actions, |a| &a.dead_letter.reason),
            &each(actions, |a| &a.dead_letter.detail),
            &each(actions, |a| &a.dead_letter.message_id),
            &each(actions, orders),
            &each(actions, |a| a.dead_letter.attempts),
            &each(actions, |a| a.dead_letter.replays),
            &each(actions, |a| a.dead_letter.dead_lettered_at),
            &each(actions, |a| &a.dead_letter.properties),
            &each(actions, |a| &a.dead_letter.body),
        ],
    )
    .await
    .map(drop)
}

const END: &str = "
    update dead_letter_actions set outcome = $2, ended_at = now()
     where id = any($1) and outcome = 'begun'";

/// Stores the outcome of actions; an action that has an outcome keeps it.
pub async fn end(db: &Db, actions: &[ActionId], outcome: Outcome) -> Result<(), Error> {
    let ids: Vec<_> = actions.iter().map(|id| id.0).collect();
    db.query(END, &[&ids, &outcome.as_str()]).await.map(drop)
}

/// A recorded action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedAction {
    /// Id of the action.
    pub id: ActionId,
    /// Kind of the action.
    pub kind: ActionKind,
    /// Outcome.
    pub outcome: Outcome,
    /// Name of the operator.
    pub by: String,
    /// The operator's reason.
    pub note: Option<String>,
    /// Time of the beginning.
    pub begun_at: OffsetDateTime,
    /// Time of the end; `None` without an outcome.
    pub ended_at: Option<OffsetDateTime>,
    /// The dead letter.
    pub dead_letter: DeadLetter,
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
// Sorted as only the index by dead letter is sorted, so that the planner has to use that index.
const LIST_OF_DEAD_LETTER: &str = select_actions!(
    "'' as properties, ''::bytea as body",
    "where letter_id = $3 and id < $1 order by letter_id desc, id desc limit $2"
);

/// Returns up to `limit` actions before `before`, newest first; only those on one dead letter, if
/// `dead_letter` is its id. Properties and body of the dead letters are left empty.
pub async fn list(
    db: &Db,
    before: Option<ActionId>,
    limit: i64,
    dead_letter: Option<&str>,
) -> Result<Listed<RecordedAction, ActionId>, Error> {
    let one_more = limit.saturating_add(1);
    let before = before.map_or(uuid::Uuid::max(), |id| id.0);
    let statement = if dead_letter.is_some() { LIST_OF_DEAD_LETTER } else { LIST };
    let rows = db.query(statement, &[&before, &one_more, &dead_letter]).await?;
    let id = |row: &Row| column(row, "id").map(ActionId);
    Ok(Listed::page(Table::DeadLetterActions, &rows, limit, Columns { row: action_from_row, id }))
}

const NEWEST: &str = "select id from dead_letter_actions order by id desc limit 1";

/// Returns the id of the newest action on dead letters, if there is any.
pub async fn newest(db: &Db) -> Result<Option<ActionId>, Error> {
    let rows = db.query(NEWEST, &[]).await?;
    rows.first().map(|row| column(row, "id").map(ActionId)).transpose()
}

const GET: &str = select_actions!("properties, body", "where id = $1");

/// Returns an action, with properties and body of its dead letter.
pub async fn get(db: &Db, id: ActionId) -> Result<Option<RecordedAction>, Error> {
    db.query(GET, &[&id.0]).await?.first().map(action_from_row).transpose()
}

fn action_from_row(row: &Row) -> Result<RecordedAction, Error> {
    let orders: Vec<uuid::Uuid> = column(row, "order_ids")?;
    Ok(RecordedAction {
        id: ActionId(column(row, "id")?),
        kind: parsed(row, "action")?,
        outcome: parsed(row, "outcome")?,
        by: column(row, "done_by")?,
        note: column(row, "note")?,
        begun_at: column(row, "begun_at")?,
        ended_at: column(row, "ended_at")?,
        dead_letter: DeadLetter {
            id: column(row, "letter_id")?,
            queue: column(row, "queue")?,
            reason: column(row, "reason")?,
            detail: column(row, "detail")?,
            message_id: column(row, "message_id")?,
            order_ids: orders.into_iter().map(OrderId).collect(),
            attempts: column(row, "attempts")?,
            replays: column(row, "replays")?,
            dead_lettered_at: column(row, "parked_at")?,
            properties: column(row, "properties")?,
            body: column(row, "body")?,
        },
    })
}
