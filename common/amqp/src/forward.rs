//! A message that leaves its queue without being done: down the delay ladder, or to the dead
//! letters. It leaves as a confirmed copy first; only then is the original acked.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongLongInt, ShortString};
use messages::TraceParent;
use service::{CrashPoint, unix_seconds};
use uuid::Uuid;

use crate::crash_points;
use crate::outgoing::{Outgoing, PERSISTENT};
use crate::topology::WorkQueue;

/// How often the work was begun without an end.
pub(super) const ATTEMPTS: &str = "x-attempts";
/// How often the reader panicked over it.
pub(super) const PANICS: &str = "x-panics";
/// How often an operator put it back.
pub(super) const REPLAYS: &str = "x-replays";
/// The W3C trace context, as OpenTelemetry's propagation over AMQP has it.
pub(super) const TRACEPARENT: &str = "traceparent";
pub(super) const REASON: &str = "x-reason";
pub(super) const DETAIL: &str = "x-detail";
pub(super) const FIRST_AT: &str = "x-first-at";
pub(super) const LAST_AT: &str = "x-last-at";
/// What tells the broker something about this one message and not about its copy. The history it
/// notes on a message it moves itself: it would take ours for going round in circles. `CC` and
/// `BCC`: the copy would go back to where it came from, and so on without an end.
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
/// The most that a sender's own headers may take in a copy, in bytes as they are printed. All
/// headers together have to fit into one frame, with ours and with those that the broker adds.
const HEADERS_MAX: usize = 32 * 1024;
/// The longest detail kept in a dead letter's header and told in a log line, in characters: what could
/// not be read may be quoted in it.
const DETAIL_MAX: usize = 500;

/// One body that leaves: the whole message's, or one order's out of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The body.
    pub body: Vec<u8>,
    /// Its own ids and trace, if it is only a part of the message it came in. What is not said here
    /// stays as it was on the message.
    pub own: Option<PartProperties>,
    /// Where to.
    pub to: Destination,
}

/// What a part of a message has for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartProperties {
    /// The message id.
    pub message_id: String,
    /// The request that caused it.
    pub correlation_id: Option<String>,
    /// The trace it belongs to.
    pub traceparent: Option<TraceParent>,
}

/// Where a message goes that is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Back to its queue after a delay that grows with the attempts.
    Retry,
    /// To the dead letters.
    Dead {
        /// One word, the same for all of a kind.
        reason: &'static str,
        /// What a person wants to know.
        detail: String,
    },
}

impl Destination {
    /// The step of the road at which the copy is not under way yet.
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

    /// The step at which the broker has the copy as well as the original.
    pub(super) fn confirmed(&self) -> CrashPoint {
        match self {
            Destination::Retry => crash_points::RETRY_CONFIRMED,
            Destination::Dead { .. } => crash_points::DEAD_LETTER_CONFIRMED,
        }
    }
}

impl Forward {
    /// The copy that leaves `queue`. Properties and headers stay as they were; what this system
    /// notes is added.
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

/// As much of a detail as is told.
pub(super) fn short(detail: &str) -> &str {
    detail.char_indices().nth(DETAIL_MAX).and_then(|(end, _)| detail.get(..end)).unwrap_or(detail)
}

/// The properties of a copy, still without headers. A publish can be judged only by its message id,
/// so one that came without gets one.
pub(super) fn copied(original: &BasicProperties, id: Option<ShortString>) -> BasicProperties {
    let id = id.unwrap_or_else(|| ShortString::from(Uuid::now_v7().hyphenated().to_string()));
    bare(original).with_message_id(id).with_delivery_mode(PERSISTENT)
}

/// The headers that a copy may carry of the original's. Our own counts are among them however much
/// room the sender's take.
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

/// What a copy may carry of the original's properties. Not the user's id, which the broker accepts
/// from that user alone and answers to anybody else by closing the channel; not the expiration,
/// after which a dead letter would be gone.
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

/// A count out of a header; 0 if it is none or below that.
pub(super) fn number(headers: &FieldTable, key: &str) -> LongLongInt {
    integer(headers, key).unwrap_or(0).max(0)
}

/// An integer out of a header, whatever integer type it was sent as: many clients take the smallest
/// one that it fits into.
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
