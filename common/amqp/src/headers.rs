//! The headers of this system, and those of a message that a copy may carry.

use lapin::types::{AMQPValue, FieldTable, LongLongInt};

use crate::frames::UNREADABLE;

/// Number of attempts that started and did not finish.
pub(super) const ATTEMPTS: &str = "x-attempts";
/// Number of panics of the handler.
pub(super) const PANICS: &str = "x-panics";
/// Number of replays by an operator.
pub(super) const REPLAYS: &str = "x-replays";
/// The W3C trace context, as OpenTelemetry's propagation over AMQP has it.
pub(super) const TRACEPARENT: &str = "traceparent";
pub(super) const REASON: &str = "x-reason";
pub(super) const DETAIL: &str = "x-detail";
pub(super) const FIRST_AT: &str = "x-first-at";
pub(super) const LAST_AT: &str = "x-last-at";
/// Headers that command the broker or the reader, and so must not be copied. The history of a message that the broker
/// moved: the broker would take the copy for a cycle. `CC` and `BCC`: the copy would return to where it
/// came from, without an end.
const NOT_COPIED: [&str; 10] = [
    UNREADABLE,
    "CC",
    "BCC",
    "x-death",
    "x-delivery-count",
    "x-acquired-count",
    "x-first-death-exchange",
    "x-first-death-queue",
    "x-first-death-reason",
    "x-last-death-reason",
];
/// Counts that the broker raises on a message whenever a consumer receives it.
pub(super) const COUNTS: [&str; 2] = ["x-delivery-count", "x-acquired-count"];
/// Largest size of a sender's own headers in a copy, in bytes as printed. All headers together have to
/// fit into one frame, with ours and with those that the broker adds.
const HEADERS_MAX: usize = 32 * 1024;

/// The headers of the original that a copy may carry. Our own counts are always among them, however
/// large the sender's headers are.
pub(super) fn kept(original: &FieldTable) -> FieldTable {
    let mut kept = FieldTable::default();
    let mut room = HEADERS_MAX;
    for (key, value) in original.inner() {
        let size = key.as_str().len() + format!("{value:?}").len();
        if !NOT_COPIED.contains(&key.as_str()) && size <= room {
            room -= size;
            kept.insert(key.clone(), value.clone());
        }
    }
    for count in [ATTEMPTS, PANICS, REPLAYS] {
        let number = number(original, count);
        if number != 0 {
            kept.insert(count.into(), AMQPValue::LongLongInt(number));
        }
    }
    kept
}

/// Number of times that a message was delivered before: the broker's counts, which a connection that
/// dies raises.
pub(super) fn earlier_deliveries(headers: &FieldTable) -> LongLongInt {
    COUNTS.iter().map(|count| number(headers, count)).max().unwrap_or(0)
}

/// The reason why the properties of a message were replaced by harmless ones.
pub(super) fn unreadable(headers: &FieldTable) -> Option<String> {
    match headers.inner().get(UNREADABLE) {
        Some(AMQPValue::LongString(why)) => Some(why.to_string()),
        _ => None,
    }
}

/// The count in a header; 0 if there is none or it is negative.
pub(super) fn number(headers: &FieldTable, key: &str) -> LongLongInt {
    integer(headers, key).unwrap_or(0).max(0)
}

/// The integer in a header, of any integer type: many clients choose the smallest type that fits.
pub fn integer(headers: &FieldTable, key: &str) -> Option<LongLongInt> {
    match headers.inner().get(key) {
        Some(AMQPValue::LongLongInt(n)) => Some(*n),
        Some(AMQPValue::LongInt(n)) => Some(i64::from(*n)),
        Some(AMQPValue::LongUInt(n)) => Some(i64::from(*n)),
        Some(AMQPValue::ShortInt(n)) => Some(i64::from(*n)),
        Some(AMQPValue::ShortUInt(n)) => Some(i64::from(*n)),
        Some(AMQPValue::ShortShortInt(n)) => Some(i64::from(*n)),
        Some(AMQPValue::ShortShortUInt(n)) => Some(i64::from(*n)),
        _ => None,
    }
}
