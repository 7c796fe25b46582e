use crate::{Db, Error};

use super::entry::Entry;

// PostgreSQL's arrays of arrays are rectangular, so the ids of one line travel as one text.
const INSERT: &str = r"
    insert into logs.log_entries
           (logged_at, instance, sequence, service, level, target, message, order_ids, request_ids,
            trace_ids, fields)
    select logged_at, instance, sequence, service, level::logs.level, target, message,
           string_to_array(order_ids, E'\n')::uuid[], string_to_array(request_ids, E'\n'),
           string_to_array(trace_ids, E'\n'), fields::jsonb
      from unnest($1::timestamptz[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                  $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
             as l (logged_at, instance, sequence, service, level, target, message, order_ids,
                   request_ids, trace_ids, fields)
    on conflict do nothing";

/// Stores lines, all in one commit. A line that is stored already stays unchanged.
///
/// # Errors
/// [`Error::Refused`] also if the day of a line has no table: see [`days`](super::days()).
pub async fn insert(db: &Db, lines: &[Entry]) -> Result<(), Error> {
    fn each<'a, T>(lines: &'a [Entry], field: impl Fn(&'a Entry) -> T) -> Vec<T> {
        lines.iter().map(field).collect()
    }
    let orders = |line: &Entry| {
        let ids: Vec<String> = line.order_ids.iter().map(ToString::to_string).collect();
        ids.join("\n")
    };
    db.query(
        INSERT,
        &[
            &each(lines, |line| line.logged_at),
            &each(lines, |line| &line.instance),
            &each(lines, |line| line.sequence),
            &each(lines, |line| &line.service),
            &each(lines, |line| line.level.as_str()),
            &each(lines, |line| &line.target),
            &each(lines, |line| &line.message),
            &each(lines, orders),
            &each(lines, |line| line.request_ids.join("\n")),
            &each(lines, |line| line.trace_ids.join("\n")),
            &each(lines, |line| &line.fields),
        ],
    )
    .await
    .map(drop)
}
