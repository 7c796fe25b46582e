//! From bytes that anybody may have sent to rows that PostgreSQL takes.

use std::ops::Range;

use db::logs::{Entry, Level};
use domain::OrderId;
use log_shipping::LogPack;
use serde_json::{Map, Number, Value};
use service::unix_seconds;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

/// A longer message is none of ours, and refused.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// A longer line is not read, only its beginning kept.
const LINE_BYTES_MAX: usize = 64 * 1024;
const MESSAGE_BYTES_MAX: usize = 8 * 1024;
/// Of larger fields the beginning of their text is kept.
const FIELDS_BYTES_MAX: usize = 16 * 1024;
const INSTANCE_BYTES_MAX: usize = 100;
/// Service and target.
const NAME_BYTES_MAX: usize = 200;
/// Ids of one kind on a line.
const IDS_MAX: usize = 100;
const ID_BYTES_MAX: usize = 128;
/// A number outside is kept as a text.
const DIGITS_FEW: Range<f64> = 1e-30..1e30;
/// Stands where something was cut off.
const CUT: &str = "… (cut)";

/// The lines of a message, one by one: there may be a hundred times as much in them as in its bytes.
/// What is not JSON becomes a line with its text as the message. `None` if it is too long.
pub(crate) fn entries(pack: &LogPack) -> Option<impl Iterator<Item = Entry> + Send + '_> {
    if pack.body.len() > BODY_BYTES_MAX {
        return None;
    }
    let stranger = || (format!("unknown-{}", Uuid::now_v7().simple()), 0);
    // A stranger's message that comes again is stored again: there is nothing to know it by.
    let (instance, first) = pack.origin.clone().unwrap_or_else(stranger);
    let instance: String = instance.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let instance = instance.get(..INSTANCE_BYTES_MAX).unwrap_or(&instance).to_owned();
    let sent_at = pack.sent_at.and_then(at).or_else(|| at(unix_seconds()));
    let sent_at = sent_at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let lines = pack.body.split(|byte| *byte == b'\n').enumerate();
    let filled = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    Some(filled.map(move |(place, line)| {
        let number = first.saturating_add(u64::try_from(place).unwrap_or(u64::MAX));
        let mut entry = entry(line, (pack.service.as_deref(), sent_at));
        entry.instance.clone_from(&instance);
        entry.sequence = i64::try_from(number).unwrap_or(i64::MAX);
        entry
    }))
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.')
}

fn at(seconds: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()
}

/// One line, without what its place in the message says. If it does not tell its program or its time,
/// they are those of the message.
fn entry(line: &[u8], (service, sent_at): (Option<&str>, OffsetDateTime)) -> Entry {
    let text = String::from_utf8_lossy(line);
    let mut fields: Map<String, Value> = match serde_json::from_str(&text) {
        Ok(fields) if line.len() <= LINE_BYTES_MAX => fields,
        _ => Map::from_iter([("message".to_owned(), Value::from(text.trim()))]),
    };
    let time = read_of(&mut fields, "time", utc);
    let level = read_of(&mut fields, "level", |level| level.parse().ok());
    let orders = orders_of(&mut fields);
    let (order_ids, request_ids, trace_ids) = (
        ids(&mut fields, (&orders, "order_id"), |id| id.parse::<OrderId>().ok()),
        ids(&mut fields, (&orders, "request_id"), plain_id),
        ids(&mut fields, (&orders, "trace_id"), plain_id),
    );
    // It is in the message's properties as well.
    fields.remove("instance");
    let service = text_of(&mut fields, "service").or(service.map(str::to_owned));
    Entry {
        logged_at: time.unwrap_or(sent_at),
        instance: String::new(),
        sequence: 0,
        service: cut(&service.unwrap_or_else(|| "unknown".to_owned()), NAME_BYTES_MAX),
        level: level.unwrap_or(Level::Info),
        target: cut(&text_of(&mut fields, "target").unwrap_or_default(), NAME_BYTES_MAX),
        message: cut(&text_of(&mut fields, "message").unwrap_or_default(), MESSAGE_BYTES_MAX),
        order_ids,
        request_ids,
        trace_ids,
        fields: rest(fields),
    }
}

/// Takes something out of the fields. What cannot be read stays.
fn read_of<T>(
    fields: &mut Map<String, Value>,
    name: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let found = read(fields.get(name)?.as_str()?)?;
    fields.remove(name);
    Some(found)
}

fn text_of(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    read_of(fields, name, |text| Some(text.to_owned()))
}

/// Of the last hours of the year 9999 some are later than any time in UTC.
fn utc(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC)
}

/// Takes out the orders that a line is about. What says only how many they are stays.
fn orders_of(fields: &mut Map<String, Value>) -> Vec<Value> {
    match fields.remove("orders") {
        Some(Value::Array(orders)) => orders,
        Some(count) => {
            fields.insert("orders".to_owned(), count);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// The ids of one kind: the line's own and those of its orders, in their order.
fn ids<T>(
    fields: &mut Map<String, Value>,
    (orders, name): (&[Value], &str),
    read: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    let own = read_of(fields, name, &read);
    let of_orders = orders.iter().filter_map(|order| order.get(name)?.as_str().and_then(&read));
    own.into_iter().chain(of_orders).take(IDS_MAX).collect()
}

fn plain_id(id: &str) -> Option<String> {
    let fits = (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| id.to_owned())
}

/// Everything else, as a JSON object that PostgreSQL takes.
fn rest(fields: Map<String, Value>) -> String {
    let whole = storable(Value::Object(fields)).to_string();
    if whole.len() <= FIELDS_BYTES_MAX {
        return whole;
    }
    let cut = cut(&whole, FIELDS_BYTES_MAX / 4);
    Value::Object(Map::from_iter([("cut".to_owned(), Value::from(cut))])).to_string()
}

/// jsonb takes no NUL in a text (<https://www.postgresql.org/docs/17/datatype-json.html>), and tells a
/// number with all its digits: six characters that came would be three hundred that are told.
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
    size != 0.0 && !DIGITS_FEW.contains(&size)
}

/// The beginning of a text, without NUL, which no text in PostgreSQL may have.
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
