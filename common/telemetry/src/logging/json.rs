use std::cell::Cell;
use std::fmt::Display;
use std::io::Write as _;

use log::kv::{Key, Value, VisitSource};

/// The target of the lines about orders on their road.
pub const ORDER_TARGET: &str = "order";
/// The field of a line about several orders: JSON that is finished.
const ORDERS: &str = "orders";

/// What a line takes at most, as a rule. Beyond it, what a line took is not kept for the next one.
const USUAL_BYTES: usize = 16 * 1024;

thread_local! {
    /// Where lines are written: under load there are thousands a second, of several kilobytes each.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Gives a log line to `take` as one JSON object, with the line break that ends it.
pub(super) fn with_json_line<R>(
    record: &log::Record<'_>,
    (time, service): (impl Display, &str),
    take: impl FnOnce(&[u8]) -> R,
) -> R {
    // A thread that is ending has none any more, and may still log.
    let mut line = Line(SPARE.try_with(Cell::take).unwrap_or_default());
    line.0.clear();
    line.write(record, time, service);
    let taken = take(&line.0);
    if line.0.capacity() <= USUAL_BYTES {
        let _ending = SPARE.try_with(|spare| spare.set(line.0));
    }
    taken
}

struct Line(Vec<u8>);

impl Line {
    fn write(&mut self, record: &log::Record<'_>, time: impl Display, service: &str) {
        // Times and levels need no escaping.
        self.raw(format_args!("{{\"time\":\"{time}\",\"level\":\"{}\"", record.level()));
        self.field("service", service);
        self.field("target", record.target());
        match record.args().as_str() {
            Some(text) => self.field("message", text),
            None => self.field("message", &record.args().to_string()),
        }
        let mut fields = Fields { of_road: record.target() == ORDER_TARGET, line: self };
        // Only a visitor that refuses could stop the visit, and this one takes everything.
        drop(record.key_values().visit(&mut fields));
        self.0.extend_from_slice(b"}\n");
    }

    fn field<T: serde::Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.key(key);
        let before = self.0.len();
        if serde_json::to_writer(&mut self.0, value).is_err() {
            self.0.truncate(before);
            self.0.extend_from_slice(b"null");
        }
    }

    fn key(&mut self, key: &str) {
        self.0.push(b',');
        // A text, into memory: this cannot fail.
        drop(serde_json::to_writer(&mut self.0, key));
        self.0.push(b':');
    }

    fn raw(&mut self, text: impl Display) {
        drop(write!(self.0, "{text}"));
    }
}

struct Fields<'a> {
    line: &'a mut Line,
    of_road: bool,
}

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        if self.of_road && key.as_str() == ORDERS {
            self.line.key(ORDERS);
            self.line.raw(value);
        } else {
            self.line.field(key.as_str(), &value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(target: &str, fields: &[(&str, Value<'_>)]) -> serde_json::Value {
        let mut record = log::Record::builder();
        let record = record.level(log::Level::Info).target(target).key_values(&fields);
        let mut said = |args| {
            let record = record.args(args).build();
            with_json_line(&record, ("now", "a-service"), <[u8]>::to_vec)
        };
        let line = said(format_args!("settled \"{}\"\n", 1));
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn a_json_line_carries_message_and_fields() {
        let fields = [("order_id", "o-1\n\"".into()), ("size", 3.into()), ("none", Value::null())];
        let wanted = serde_json::json!({"time": "now", "level": "INFO", "service": "a-service",
            "target": "elsewhere", "message": "settled \"1\"\n", "order_id": "o-1\n\"", "size": 3,
            "none": null});
        assert_eq!(line("elsewhere", &fields), wanted);
    }

    #[test]
    fn only_the_roads_own_lines_may_bring_finished_json() {
        let fields = [("orders", Value::from_display(&"[1]"))];
        assert_eq!(line("order", &fields)["orders"], serde_json::json!([1]));
        assert_eq!(line("elsewhere", &fields)["orders"], serde_json::json!("[1]"));
    }
}
