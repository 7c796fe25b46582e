use std::fmt::Display;
use std::io::Write as _;

use log::kv::{Key, Value, VisitSource};

/// The target of the lines about orders on their road.
pub const ROAD: &str = "road";
/// The field of a line about several orders: JSON that is finished.
const ORDERS: &str = "orders";

/// What a line takes at most, as a rule.
const USUAL_BYTES: usize = 512;

/// A log line as one JSON object. Written piece by piece: under load there are thousands a second.
pub(super) fn json_line(record: &log::Record<'_>, time: impl Display, service: &str) -> Vec<u8> {
    let mut line = Line(Vec::with_capacity(USUAL_BYTES));
    // Times and levels need no escaping.
    line.raw(format_args!("{{\"time\":\"{time}\",\"level\":\"{}\"", record.level()));
    line.field("service", service);
    line.field("target", record.target());
    match record.args().as_str() {
        Some(text) => line.field("message", text),
        None => line.field("message", &record.args().to_string()),
    }
    let mut fields = Fields { line: &mut line, of_road: record.target() == ROAD };
    // Only a visitor that refuses could stop the visit, and this one takes everything.
    drop(record.key_values().visit(&mut fields));
    line.0.push(b'}');
    line.0
}

struct Line(Vec<u8>);

impl Line {
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
        let mut said = |args| json_line(&record.args(args).build(), "now", "a-service");
        let line = said(format_args!("settled \"{}\"\n", 1));
        assert!(!line.contains(&b'\n'));
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
        assert_eq!(line("road", &fields)["orders"], serde_json::json!([1]));
        assert_eq!(line("elsewhere", &fields)["orders"], serde_json::json!("[1]"));
    }
}
