//! A message that leaves its queue unfinished: to a retry queue, or to the dead-letter queue. The copy
//! is published and confirmed first; only then is the original acked.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongLongInt, ShortString};
use messages::TraceParent;
use service::{CrashPoint, unix_seconds};
use uuid::Uuid;

use crate::crash_points;
use crate::outgoing::{Outgoing, PERSISTENT};
use crate::topology::WorkQueue;

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
/// Headers that command the broker, and so must not be copied. The history of a message that the broker
/// moved: the broker would take the copy for a cycle. `CC` and `BCC`: the copy would return to where it
/// came from, without an end.
const BROKERS_OWN: [&str; 9] = [
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
/// Largest size of a sender's own headers in a copy, in bytes as printed. All headers together have to
/// fit into one frame, with ours and with those that the broker adds.
const HEADERS_MAX: usize = 32 * 1024;
/// Longest detail in a dead letter's header and in a log line, in characters: it may quote the
/// unreadable body.
const DETAIL_MAX: usize = 500;

/// A body that goes elsewhere: that of the whole message, or that of one order of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The body.
    pub body: Vec<u8>,
    /// Ids and trace of its own, if it is a part of a message. Others are copied from the message.
    pub own: Option<PartProperties>,
    /// The destination.
    pub to: Destination,
}

/// Ids and trace of a part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartProperties {
    /// The message id.
    pub message_id: String,
    /// The id of the request that caused it.
    pub correlation_id: Option<String>,
    /// The trace that it belongs to.
    pub traceparent: Option<TraceParent>,
}

/// The destination of an unfinished message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Its queue, after a delay that grows with the attempts.
    Retry,
    /// The dead-letter queue.
    Dead {
        /// The reason in one word, the same for all of a kind.
        reason: &'static str,
        /// The reason as a sentence.
        detail: String,
    },
}

impl Destination {
    /// The crash point before the copy is sent.
    pub(super) fn begun(&self) -> CrashPoint {
        match self {
            Destination::Retry => crash_points::RETRY_BEGUN,
            Destination::Dead { .. } => crash_points::DEAD_LETTER_BEGUN,
        }
    }

    /// The crash point behind sending the copy.
    pub(super) fn sent(&self) -> CrashPoint {
        match self {
            Destination::Retry => crash_points::RETRY_SENT,
            Destination::Dead { .. } => crash_points::DEAD_LETTER_SENT,
        }
    }

    /// The crash point at which the broker has both the copy and the original.
    pub(super) fn confirmed(&self) -> CrashPoint {
        match self {
            Destination::Retry => crash_points::RETRY_CONFIRMED,
            Destination::Dead { .. } => crash_points::DEAD_LETTER_CONFIRMED,
        }
    }
}

impl Forward {
    /// The copy of a message out of `queue`: its properties and headers, and those that this system
    /// adds.
    pub fn outgoing(&self, queue: &WorkQueue, original: &BasicProperties) -> Outgoing {
        let original_headers = original.headers().clone().unwrap_or_default();
        let attempts = number(&original_headers, ATTEMPTS).saturating_add(1);
        let mut headers = kept(&original_headers);
        let now = AMQPValue::Timestamp(unix_seconds());
        if !headers.contains_key(FIRST_AT) {
            headers.insert(FIRST_AT.into(), now.clone());
        }
        headers.insert(LAST_AT.into(), now);
        headers.insert(ATTEMPTS.into(), AMQPValue::LongLongInt(attempts));
        let key = match &self.to {
            Destination::Retry => queue
                .retry_queue(u32::try_from(attempts).unwrap_or(u32::MAX))
                .unwrap_or(queue.name.clone()),
            Destination::Dead { reason, detail } => {
                headers.insert(REASON.into(), AMQPValue::LongString((*reason).into()));
                headers.insert(DETAIL.into(), AMQPValue::LongString(short(detail).into()));
                queue.dead()
            }
        };
        if let Some(trace) = self.own.as_ref().and_then(|own| own.traceparent) {
            headers.insert(TRACEPARENT.into(), AMQPValue::LongString(trace.to_string().into()));
        }
        // Straight to the queue, through the default exchange: no binding can be missing.
        Outgoing {
            exchange: ShortString::from(""),
            routing_key: key.into(),
            body: self.body.clone(),
            properties: self.properties(original).with_headers(headers),
            sent: self.to.sent(),
        }
    }

    fn properties(&self, original: &BasicProperties) -> BasicProperties {
        let Some(own) = &self.own else {
            return copied(original, original.message_id().clone());
        };
        let copy = copied(original, Some(ShortString::from(own.message_id.as_str())));
        match &own.correlation_id {
            Some(id) => copy.with_correlation_id(id.as_str().into()),
            None => copy,
        }
    }
}

/// The beginning of a detail, up to [`DETAIL_MAX`].
pub(super) fn short(detail: &str) -> &str {
    detail.char_indices().nth(DETAIL_MAX).and_then(|(end, _)| detail.get(..end)).unwrap_or(detail)
}

/// The properties of a copy, without headers. A confirm is matched by message id, so a message without
/// one gets a new one.
pub(super) fn copied(original: &BasicProperties, id: Option<ShortString>) -> BasicProperties {
    let id = id.unwrap_or_else(|| ShortString::from(Uuid::now_v7().hyphenated().to_string()));
    bare(original).with_message_id(id).with_delivery_mode(PERSISTENT)
}

/// The headers of the original that a copy may carry. Our own counts are always among them, however
/// large the sender's headers are.
pub(super) fn kept(original: &FieldTable) -> FieldTable {
    let mut kept = FieldTable::default();
    let mut room = HEADERS_MAX;
    for (key, value) in original.inner() {
        let size = key.as_str().len() + format!("{value:?}").len();
        if !BROKERS_OWN.contains(&key.as_str()) && size <= room {
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

/// The properties of the original that a copy may carry. Not the user's id: the broker closes the
/// channel of any other user that sends it. Not the expiration: a dead letter would disappear.
fn bare(original: &BasicProperties) -> BasicProperties {
    let mut copy = BasicProperties::default();
    if let Some(value) = original.content_type() {
        copy = copy.with_content_type(value.clone());
    }
    if let Some(value) = original.content_encoding() {
        copy = copy.with_content_encoding(value.clone());
    }
    if let Some(value) = original.correlation_id() {
        copy = copy.with_correlation_id(value.clone());
    }
    if let Some(value) = original.reply_to() {
        copy = copy.with_reply_to(value.clone());
    }
    if let Some(value) = original.timestamp() {
        copy = copy.with_timestamp(*value);
    }
    if let Some(value) = original.kind() {
        copy = copy.with_type(value.clone());
    }
    if let Some(value) = original.app_id() {
        copy = copy.with_app_id(value.clone());
    }
    copy
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
