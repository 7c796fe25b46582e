//! The order log: one line per stage and batch, listing every order in it, so that a `grep` for a
//! request id finds the whole way of an order in the logs of all processes.

use std::cell::Cell;
use std::fmt;

use domain::{About, RequestId};
use log::Level;
use memchr::memchr2;
use smallvec::SmallVec;
use uuid::Uuid;

use crate::logging::ORDER_TARGET;

/// Maximum number of orders in one line.
const LINE_MAX: usize = 50;
/// Maximum size of the orders in a line, without the last one. A line stays below the 16 KiB at
/// which container engines cut lines, with request ids of any length.
const LINE_BYTES_MAX: usize = 15 * 1024;
/// Size of an order in a line, if its request id was generated here.
const ORDER_BYTES: usize = 160;
/// Number of outcomes that one batch has at most, as a rule.
const OUTCOMES: usize = 4;

thread_local! {
    /// Buffers for lines. An allocation of a kilobyte or more makes glibc consolidate all small
    /// free chunks, and there would be thousands of them a second.
    static SPARES: Cell<Vec<String>> = const { Cell::new(Vec::new()) };
}

/// Logs a batch at `info`: `message` and, for each order, its outcome. Orders with the same outcome
/// share lines. Costs one check of the level if the level is off.
pub fn info<'a>(
    message: &'static str,
    orders: impl IntoIterator<Item = (&'static str, About<'a>)>,
) {
    write(Level::Info, message, orders);
}

/// Logs a batch at `debug`, in the format of [`info`].
pub fn debug<'a>(
    message: &'static str,
    orders: impl IntoIterator<Item = (&'static str, About<'a>)>,
) {
    write(Level::Debug, message, orders);
}

fn write<'a>(
    level: Level,
    message: &'static str,
    orders: impl IntoIterator<Item = (&'static str, About<'a>)>,
) {
    if !log::log_enabled!(target: ORDER_TARGET, level) {
        return;
    }
    // A thread that is ending has no thread-locals any more.
    let mut spares = SPARES.try_with(Cell::take).unwrap_or_default();
    // On the stack, for the reason given at `SPARES`.
    let mut lines: SmallVec<[Line<'a>; OUTCOMES]> = SmallVec::new();
    for (outcome, about) in orders {
        let known = lines.iter().position(|line| line.outcome == outcome);
        let at = known.unwrap_or_else(|| {
            lines.push(Line::new(outcome, spares.pop().unwrap_or_default()));
            lines.len() - 1
        });
        let Some(line) = lines.get_mut(at) else { continue };
        line.add(about);
        if line.is_full() {
            line.write(level, message);
        }
    }
    for mut line in lines {
        line.write(level, message);
        spares.push(line.json);
    }
    spares.truncate(OUTCOMES);
    let _ending = SPARES.try_with(|kept| kept.set(spares));
}

/// A line that is being composed.
struct Line<'a> {
    outcome: &'static str,
    orders: usize,
    first: Option<About<'a>>,
    json: String,
}

impl<'a> Line<'a> {
    fn new(outcome: &'static str, json: String) -> Line<'a> {
        Line { outcome, orders: 0, first: None, json }
    }

    fn add(&mut self, about: About<'a>) {
        self.orders += 1;
        match self.first {
            None => self.first = Some(about),
            Some(first) => {
                if self.json.is_empty() {
                    self.json.reserve(LINE_MAX * ORDER_BYTES);
                    add(&mut self.json, &first);
                }
                add(&mut self.json, &about);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.orders == LINE_MAX || self.json.len() > LINE_BYTES_MAX
    }

    /// Writes the line if it has an order, and begins the next one.
    fn write(&mut self, level: Level, message: &str) {
        let Some(about) = self.first.take() else { return };
        let outcome = self.outcome;
        if self.orders == 1 {
            let (order_id, trace_id) = (about.order_id, TraceId(&about));
            let request_id = about.request_id.map(RequestId::as_str);
            log::log!(target: ORDER_TARGET, level, outcome, order_id:%, request_id, trace_id:%; "{message}");
        } else {
            self.json.push_str("}]");
            let orders = &self.json;
            log::log!(target: ORDER_TARGET, level, outcome, orders:%; "{message}");
        }
        self.orders = 0;
        self.json.clear();
    }
}

/// The trace id of an order, as a log line shows it.
#[derive(Clone, Copy, Debug)]
pub struct TraceId<'a>(pub &'a About<'a>);

impl fmt::Display for TraceId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0.trace_id())
    }
}

/// Adds an order to a JSON array that is not closed yet; without `serde_json` and `fmt`, because
/// there are a hundred thousand orders a second.
fn add(json: &mut String, about: &About<'_>) {
    let mut digits = Uuid::encode_buffer();
    json.push_str(if json.is_empty() { "[{" } else { "},{" });
    json.push_str("\"order_id\":\"");
    json.push_str(about.order_id.0.hyphenated().encode_lower(&mut digits));
    if let Some(request_id) = about.request_id {
        json.push_str("\",\"request_id\":\"");
        escape(request_id.as_str(), json);
    }
    json.push_str("\",\"trace_id\":\"");
    // A trace id has as many hexadecimal digits as a UUID without hyphens.
    let trace_id = Uuid::from_u128(about.trace_id().get());
    json.push_str(trace_id.simple().encode_lower(&mut digits));
    json.push('"');
}

/// Adds a request id, escaped. It has visible ASCII characters only, of which JSON escapes two.
fn escape(text: &str, json: &mut String) {
    if memchr2(b'"', b'\\', text.as_bytes()).is_none() {
        return json.push_str(text);
    }
    for piece in text.split_inclusive(['"', '\\']) {
        match piece.char_indices().next_back() {
            Some((at, special @ ('"' | '\\'))) => {
                json.push_str(piece.get(..at).unwrap_or_default());
                json.push('\\');
                json.push(special);
            }
            _ => json.push_str(piece),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{OrderId, TraceParent};

    use super::*;

    fn json(orders: &[About<'_>]) -> String {
        let mut json = String::new();
        orders.iter().for_each(|about| add(&mut json, about));
        json + "}]"
    }

    #[test]
    fn several_orders_are_valid_json_with_any_request_id() {
        let request_id: RequestId = r#"a"b\c"#.parse().unwrap();
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let traceparent: TraceParent = traceparent.parse().unwrap();
        let (first, second) = (OrderId::new(), OrderId::new());
        let of_request = About {
            order_id: first,
            request_id: Some(&request_id),
            traceparent: Some(traceparent),
        };
        let bare = About { order_id: second, request_id: None, traceparent: None };

        let text = json(&[of_request, bare]);

        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        let wanted = serde_json::json!([
            {"order_id": first.to_string(), "request_id": request_id.as_str(),
             "trace_id": "0af7651916cd43dd8448eb211c80319c"},
            {"order_id": second.to_string(), "trace_id": second.0.simple().to_string()},
        ]);
        assert_eq!(read, wanted);
    }

    #[test]
    fn a_line_stays_below_the_length_at_which_container_engines_cut() {
        // JSON escapes each of these characters with another one.
        let request_id: RequestId = "\\".repeat(RequestId::MAX_LEN).parse().unwrap();
        let mut line = Line::new("confirmed", String::new());
        while !line.is_full() {
            let order_id = OrderId::new();
            line.add(About { order_id, request_id: Some(&request_id), traceparent: None });
        }
        assert!(line.orders > LINE_MAX / 2 && line.json.len() < 16 * 1024 - 300);
    }
}
