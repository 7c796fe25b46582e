use std::cell::Cell;
use std::fmt::Display;
use std::io::Write as _;

use log::kv::{Key, Value, VisitSource};

/// The target of the order log.
pub const ORDER_TARGET: &str = "order";
/// The field of the order log whose value is encoded JSON.
const ORDERS: &str = "orders";

/// Maximum size of a buffer that is kept for the next line; most lines fit.
const SPARE_BYTES_MAX: usize = 16 * 1024;

thread_local! {
    /// The buffer for a line: under load a thread writes thousands a second, of several kilobytes
    /// each.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Passes a log line to `write` as one JSON object and a line break.
pub(super) fn with_json_line<R>(
    record: &log::Record<'_>,
    time: impl Display,
    service: &str,
    write: impl FnOnce(&[u8]) -> R,
) -> R {
    // A thread that is ending has no thread-locals any more, and may still log.
    let mut line = Line(SPARE.try_with(Cell::take).unwrap_or_default());
    line.0.clear();
    line.encode(record, time, service);
    let written = write(&line.0);
    if line.0.capacity() <= SPARE_BYTES_MAX {
        let _ending = SPARE.try_with(|spare| spare.set(line.0));
    }
    written
}

struct Line(Vec<u8>);

impl Line {
    fn encode(&mut self, record: &log::Record<'_>, time: impl Display, service: &str) {
        // Times and levels need no escaping.
        self.raw(format_args!("{{\"time\":\"{time}\",\"level\":\"{}\"", record.level()));
        self.field("service", service);
        self.field("target", record.target());
        match record.args().as_str() {
            Some(text) => self.field("message", text),
            None => self.field("message", &record.args().to_string()),
        }
        let mut fields = Fields { of_order_log: record.target() == ORDER_TARGET, line: self };
        // The visit cannot fail: this visitor accepts every field.
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
        // Writing a text to memory cannot fail.
        drop(serde_json::to_writer(&mut self.0, key));
        self.0.push(b':');
    }

    fn raw(&mut self, text: impl Display) {
        drop(write!(self.0, "{text}"));
    }
}

struct Fields<'a> {
    line: &'a mut Line,
    of_order_log: bool,
}

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        if self.of_order_log && key.as_str() == ORDERS {
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
        let mut encode = |args| {
            let record = record.args(args).build();
            with_json_line(&record, "now", "a-service", <[u8]>::to_vec)
        };
        let line = encode(format_args!("settled \"{}\"\n", 1));
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
    fn only_the_order_log_may_contain_encoded_json() {
        let fields = [("orders", Value::from_display(&"[1]"))];
        assert_eq!(line("order", &fields)["orders"], serde_json::json!([1]));
        assert_eq!(line("elsewhere", &fields)["orders"], serde_json::json!("[1]"));
    }
}
