//! The start of the outbox: no row has a lower id. Reads begin there, so that they do not step over the
//! rows that were removed and that an open transaction keeps from being cleaned away.

use crate::activity::writers;
use crate::row::column;
use crate::{Db, Error};

/// Number of new ids after which the start is advanced again.
const STEP_MIN: i64 = 1000;

/// An id, and the transactions that may still commit a row with this id or a lower one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    id: i64,
    writers: Vec<String>,
}

// Null without the right to read the sequence: the start then stays where it is.
const NEWEST: &str = "
    select start.id as start,
           case when has_sequence_privilege(s.ids, 'select')
                then pg_sequence_last_value(s.ids) end as newest
      from outbox_start start,
           (select pg_get_serial_sequence('outbox', 'id')::regclass as ids) s";

const ADVANCE: &str = "
    with w as materialized (
        select coalesce((select o.id - 1 from outbox o
                          where o.id > (select id from outbox_start) and o.id <= $1
                          order by o.id limit 1), $1) as id
    )
    update outbox_start set id = w.id from w where outbox_start.id < w.id";

// The sequence was set back: a table that was emptied by hand.
const RESTART: &str = "update outbox_start set id = 0 where id > $1";

/// Advances the start behind the rows that are gone. Called again and again with the same `mark`,
/// which begins as `None`: one call notes the newest id and the transactions that are writing to the
/// outbox, a later one advances the start up to that id once all of them have ended.
pub async fn advance_start(db: &Db, mark: &mut Option<Mark>) -> Result<(), Error> {
    let rows = db.query(NEWEST, &[]).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let (start, newest): (i64, Option<i64>) = (column(row, "start")?, column(row, "newest")?);
    let Some(newest) = newest else { return Ok(()) };
    if newest < start {
        *mark = None;
        return db.query(RESTART, &[&newest]).await.map(drop);
    }
    match mark.take() {
        None if newest - start < STEP_MIN => {}
        None => *mark = Some(Mark { id: newest, writers: writers(db, "outbox").await? }),
        Some(noted) => {
            let now = writers(db, "outbox").await?;
            if noted.writers.iter().any(|writer| now.contains(writer)) {
                *mark = Some(noted);
            } else {
                db.query(ADVANCE, &[&noted.id]).await?;
            }
        }
    }
    Ok(())
}
