//! Reads log lines from bytes of unknown senders, and makes rows that PostgreSQL accepts.

use std::ops::Range;

use db::logs::{Entry, Level};
use domain::OrderId;
use log_shipping::LogPack;
use serde_json::{Map, Number, Value};
use service::unix_seconds;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

/// Largest message, in bytes. The project's processes send no larger one; larger messages are
/// refused.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Largest line that is parsed, in bytes. Of a longer line the beginning is kept, as text.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Largest text of a line's message, in bytes. A longer text is cut.
const MESSAGE_BYTES_MAX: usize = 8 * 1024;
/// Largest JSON text of a line's other fields, in bytes. Of larger fields the beginning of the text
/// is kept.
const FIELDS_BYTES_MAX: usize = 16 * 1024;
/// Largest name of a process, in bytes. A longer name is cut.
const INSTANCE_BYTES_MAX: usize = 100;
/// Largest service and target, in bytes. A longer text is cut.
const NAME_BYTES_MAX: usize = 200;
/// Largest number of ids of one kind on a line. The rest is left out.
const IDS_MAX: usize = 100;
/// Largest id, in bytes. A longer id is left in the other fields.
const ID_BYTES_MAX: usize = 128;
/// Magnitudes of numbers that are kept as numbers. Other numbers are kept as text.
const PLAIN_MAGNITUDES: Range<f64> = 1e-30..1e30;
/// Mark at the end of a text that was cut.
const CUT: &str = "… (cut)";

/// Returns the lines of a message, one by one: rows may take a hundred times the memory of the
/// message. A line that is not JSON becomes a row with the text as its message. Returns `None` if
/// the message is too long.
pub(crate) fn entries(pack: &LogPack) -> Option<impl Iterator<Item = Entry> + Send + '_> {
    if pack.body.len() > BODY_BYTES_MAX {
        return None;
    }
    let unknown = || (format!("unknown-{}", Uuid::now_v7().simple()), 0);
    // A message without an origin is stored again at each delivery: nothing identifies it.
    let (instance, first) = pack.origin.clone().unwrap_or_else(unknown);
    let instance: String = instance.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let instance = instance.get(..INSTANCE_BYTES_MAX).unwrap_or(&instance).to_owned();
    let sent_at = pack.sent_at.and_then(time_of).or_else(|| time_of(unix_seconds()));
    let sent_at = sent_at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let lines = pack.body.split(|byte| *byte == b'\n').enumerate();
    let filled = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    Some(filled.map(move |(place, line)| {
        let number = first.saturating_add(u64::try_from(place).unwrap_or(u64::MAX));
        let mut entry = entry(line, pack.service.as_deref(), sent_at);
        entry.instance.clone_from(&instance);
        entry.sequence = i64::try_from(number).unwrap_or(i64::MAX);
        entry
    }))
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.')
}

fn time_of(seconds: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()
}

/// Reads one line, without instance and sequence. A line without a program or a time gets those of
/// the message, `service` and `sent_at`.
fn entry(line: &[u8], service: Option<&str>, sent_at: OffsetDateTime) -> Entry {
    let text = String::from_utf8_lossy(line);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut fields: Map<String, Value> = match serde_json::from_str(text) {
        Ok(fields) if line.len() <= LINE_BYTES_MAX => fields,
        _ => Map::from_iter([("message".to_owned(), Value::from(text.trim()))]),
    };
    let time = take(&mut fields, "time", utc);
    let level = take(&mut fields, "level", |level| level.parse().ok());
    let orders = take_orders(&mut fields);
    let (order_ids, request_ids, trace_ids) = (
        take_ids(&mut fields, &orders, "order_id", |id| id.parse::<OrderId>().ok()),
        take_ids(&mut fields, &orders, "request_id", plain_id),
        take_ids(&mut fields, &orders, "trace_id", plain_id),
    );
    // The message's properties have the instance as well.
    fields.remove("instance");
    let service = take_text(&mut fields, "service").or(service.map(str::to_owned));
    Entry {
        logged_at: time.unwrap_or(sent_at),
        instance: String::new(),
        sequence: 0,
        service: cut(&service.unwrap_or_else(|| "unknown".to_owned()), NAME_BYTES_MAX),
        level: level.unwrap_or(Level::Info),
        target: cut(&take_text(&mut fields, "target").unwrap_or_default(), NAME_BYTES_MAX),
        message: cut(&take_text(&mut fields, "message").unwrap_or_default(), MESSAGE_BYTES_MAX),
        order_ids,
        request_ids,
        trace_ids,
        fields: rest(fields),
    }
}

/// Removes a field and returns its value. A field that `read` cannot read stays.
fn take<T>(
    fields: &mut Map<String, Value>,
    name: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let found = read(fields.get(name)?.as_str()?)?;
    fields.remove(name);
    Some(found)
}

fn take_text(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    take(fields, name, |text| Some(text.to_owned()))
}

/// Reads a time and converts it to UTC. A time late on the last day of 9999 may have no equivalent
/// in UTC.
fn utc(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC)
}

/// Removes and returns the list of orders that a line is about. A number of orders stays in the
/// fields.
fn take_orders(fields: &mut Map<String, Value>) -> Vec<Value> {
    match fields.remove("orders") {
        Some(Value::Array(orders)) => orders,
        Some(count) => {
            fields.insert("orders".to_owned(), count);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// Removes and returns the ids of one kind: the line's own id, then those of its orders.
fn take_ids<T>(
    fields: &mut Map<String, Value>,
    orders: &[Value],
    name: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    let own = take(fields, name, &read);
    let of_orders = orders.iter().filter_map(|order| order.get(name)?.as_str().and_then(&read));
    own.into_iter().chain(of_orders).take(IDS_MAX).collect()
}

fn plain_id(id: &str) -> Option<String> {
    let fits = (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| id.to_owned())
}

/// The remaining fields, as a JSON object that PostgreSQL accepts.
fn rest(fields: Map<String, Value>) -> String {
    let whole = storable(Value::Object(fields)).to_string();
    if whole.len() <= FIELDS_BYTES_MAX {
        return whole;
    }
    let cut = cut(&whole, FIELDS_BYTES_MAX / 4);
    Value::Object(Map::from_iter([("cut".to_owned(), Value::from(cut))])).to_string()
}

/// Replaces the values that a jsonb column cannot store well. jsonb accepts no NUL in a text
/// (<https://www.postgresql.org/docs/17/datatype-json.html>), and returns a number with all its
/// digits: `1e300` has five characters on arrival and three hundred in an answer.
fn storable(value: Value) -> Value {
    let clean = |text: String| text.replace('\0', "\u{fffd}");
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(values) => values.into_iter().map(storable).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (clean(name), storable(value))).collect()
        }
        Value::Number(number) if has_many_digits(&number) => Value::String(number.to_string()),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

fn has_many_digits(number: &Number) -> bool {
    let size = number.as_f64().unwrap_or_default().abs();
    size != 0.0 && !PLAIN_MAGNITUDES.contains(&size)
}

/// Cuts a text to `bytes_max` bytes, and replaces NUL, which no text in PostgreSQL may contain.
fn cut(text: &str, bytes_max: usize) -> String {
    let text = text.replace('\0', "\u{fffd}");
    if text.len() <= bytes_max {
        return text;
    }
    let room = bytes_max.saturating_sub(CUT.len());
    let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{CUT}", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests;
