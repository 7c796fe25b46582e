//! A message that leaves its queue unfinished: to a retry queue, or to the dead-letter queue. The copy
//! is published and confirmed first; only then is the original acked.

use std::sync::Arc;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, ShortString};
use messages::TraceParent;
use service::{CrashPoint, unix_seconds};
use uuid::Uuid;

use crate::crash_points;
use crate::headers::{ATTEMPTS, DETAIL, FIRST_AT, LAST_AT, REASON, TRACEPARENT, kept, number};
use crate::outgoing::{Outgoing, PERSISTENT};
use crate::topology::WorkQueue;

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
    /// Message id of the part, for its handler; `None` if no handler read it.
    pub part: Option<String>,
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
            body: Arc::new(self.body.clone()),
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
