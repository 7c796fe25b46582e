//! A dead letter with its reason: from the headers of this system, or from the broker's `x-death`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::crash_points;
use crate::forward::copied;
use crate::headers::{ATTEMPTS, COUNTS, DETAIL, FIRST_AT, LAST_AT, PANICS, REASON, REPLAYS};
use crate::headers::{earlier_deliveries, kept, number, unreadable};
use crate::outgoing::Outgoing;
use crate::properties_json::properties_json;
use crate::topology::WorkQueue;

/// The broker's history of a message, newest first
/// (<https://www.rabbitmq.com/docs/dlx#effects>).
const DEATH: &str = "x-death";
/// The reason of a dead letter without one.
const NO_REASON: &str = "none";
/// The detail of a message that the broker dead-lettered.
const CONSUMERS_DIED: &str = "the broker moved it: it came back from readers that died, or whose \
                            connection was lost, more often than its queue allows";
/// Number of bytes of a hash in an id.
const ID_BYTES: usize = 16;

/// The id of a dead letter: a hash over its queue, body, properties and headers, without the broker's
/// counts. It stays the same however often the dead letter is received, and changes when the message
/// is dead-lettered anew. Two dead letters with the same id are equal in every byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetterId(String);

impl DeadLetterId {
    /// 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(queue: &str, body: &[u8], properties: &BasicProperties) -> DeadLetterId {
        // Text and metrics into memory: there is nothing in these types that fails to be JSON.
        let properties = serde_json::to_vec(&without_counts(properties)).unwrap_or_default();
        let mut hash = Sha256::new();
        for part in [queue.as_bytes(), body, &properties] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let hash = hash.finalize();
        DeadLetterId(hash.iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DeadLetterId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<DeadLetterId, &'static str> {
        let hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 2 * ID_BYTES || !hex {
            return Err("must be the id of a dead letter: 32 hexadecimal digits");
        }
        Ok(DeadLetterId(text.to_owned()))
    }
}

/// A dead letter in its queue. Texts contain no control characters.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// The id.
    pub id: DeadLetterId,
    /// The dead-letter queue.
    pub queue: String,
    /// The original body.
    pub body: Vec<u8>,
    /// The message id; that of a request is the order's id.
    pub message_id: Option<String>,
    /// The id of the HTTP request that caused the message.
    pub correlation_id: Option<String>,
    /// The reason in one word; `none` if there is none.
    pub reason: String,
    /// The reason as a sentence.
    pub detail: Option<String>,
    /// Number of attempts that started and did not finish.
    pub attempts: u64,
    /// Number of replays by an operator.
    pub replays: u64,
    /// Number of times it was received from its queue. Past `DEAD_DELIVERY_LIMIT` the broker drops it.
    pub inspections: u64,
    /// Time of the first attempt that did not finish.
    pub first_at: Option<OffsetDateTime>,
    /// Time of dead-lettering.
    pub dead_lettered_at: Option<OffsetDateTime>,
    pub(crate) properties: BasicProperties,
    pub(crate) tag: u64,
}

impl DeadLetter {
    pub(crate) fn read(queue: &WorkQueue, tag: u64, body: Vec<u8>, p: BasicProperties) -> Self {
        let name = queue.dead();
        let headers = p.headers().clone().unwrap_or_default();
        let count = |key| u64::try_from(number(&headers, key)).unwrap_or(0);
        let id = DeadLetterId::of(&name, &body, &p);
        // A copy of ours never carries `x-death`: if one names this queue, the broker came last.
        let death = death_in(&headers, &queue.name);
        let (reason, detail, dead_lettered_at) = match &death {
            Some(death) => {
                let reason = text(death, "reason");
                let died = reason.as_deref() == Some("delivery_limit");
                (reason, died.then(|| CONSUMERS_DIED.to_owned()), instant(death, "time"))
            }
            None => match unreadable(&headers) {
                Some(why) => (Some("unreadable".to_owned()), Some(why), None),
                None => {
                    (text(&headers, REASON), text(&headers, DETAIL), instant(&headers, LAST_AT))
                }
            },
        };
        DeadLetter {
            id,
            queue: name,
            body,
            message_id: p.message_id().as_ref().map(|text| clean(text.as_str().as_bytes())),
            correlation_id: p.correlation_id().as_ref().map(|text| clean(text.as_str().as_bytes())),
            reason: reason.unwrap_or_else(|| NO_REASON.to_owned()),
            detail,
            attempts: count(ATTEMPTS),
            replays: count(REPLAYS),
            inspections: u64::try_from(earlier_deliveries(&headers)).unwrap_or(0),
            first_at: instant(&headers, FIRST_AT),
            dead_lettered_at,
            properties: p,
            tag,
        }
    }

    /// All properties and headers as JSON text, without the broker's counts.
    pub fn properties_json(&self) -> String {
        properties_json(&without_counts(&self.properties)).to_string()
    }

    /// The copy that returns to `queue`, through the exchange as the original did: without headers that
    /// command the broker, without the reason, and with one replay more. Earlier attempts stay counted;
    /// the handler may panic three times anew.
    pub(crate) fn replay(&self, exchange: &str, queue: &WorkQueue) -> Outgoing {
        let original = self.properties.headers().clone().unwrap_or_default();
        let mut headers = FieldTable::default();
        for (key, value) in kept(&original).inner() {
            if ![REASON, DETAIL, PANICS].contains(&key.as_str()) {
                headers.insert(key.clone(), value.clone());
            }
        }
        let replays = number(&original, REPLAYS).saturating_add(1);
        headers.insert(REPLAYS.into(), AMQPValue::LongLongInt(replays));
        let properties = copied(&self.properties, self.properties.message_id().clone());
        Outgoing {
            exchange: ShortString::from(exchange),
            routing_key: ShortString::from(queue.name.as_str()),
            body: Arc::new(self.body.clone()),
            properties: properties.with_headers(headers),
            sent: crash_points::RETRY_SENT,
        }
    }
}

fn without_counts(properties: &BasicProperties) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (key, value) in properties.headers().clone().unwrap_or_default().inner() {
        if !COUNTS.contains(&key.as_str()) {
            headers.insert(key.clone(), value.clone());
        }
    }
    properties.clone().with_headers(headers)
}

/// The newest entry of the broker's history that is about `queue`.
fn death_in(headers: &FieldTable, queue: &str) -> Option<FieldTable> {
    let Some(AMQPValue::FieldArray(deaths)) = headers.inner().get(DEATH) else { return None };
    let of_queue = |death: &&AMQPValue| {
        let AMQPValue::FieldTable(death) = death else { return false };
        text(death, "queue").as_deref() == Some(queue)
    };
    match deaths.as_slice().iter().find(of_queue) {
        Some(AMQPValue::FieldTable(death)) => Some(death.clone()),
        _ => None,
    }
}

fn text(headers: &FieldTable, key: &str) -> Option<String> {
    match headers.inner().get(key) {
        Some(AMQPValue::LongString(text)) => Some(clean(text.as_bytes())),
        Some(AMQPValue::ShortString(text)) => Some(clean(text.as_str().as_bytes())),
        _ => None,
    }
}

fn instant(headers: &FieldTable, key: &str) -> Option<OffsetDateTime> {
    let Some(AMQPValue::Timestamp(seconds)) = headers.inner().get(key) else { return None };
    OffsetDateTime::from_unix_timestamp(i64::try_from(*seconds).ok()?).ok()
}

/// A sender's text without control characters, for terminals and tables.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> WorkQueue {
        WorkQueue { name: "q".to_owned(), retry_delays: Vec::new() }
    }

    fn letter(headers: &[(&str, AMQPValue)]) -> DeadLetter {
        let mut table = FieldTable::default();
        for (key, value) in headers {
            table.insert((*key).into(), value.clone());
        }
        let properties = BasicProperties::default().with_headers(table);
        DeadLetter::read(&queue(), 1, b"body".to_vec(), properties)
    }

    fn long(text: &str) -> AMQPValue {
        AMQPValue::LongString(text.into())
    }

    fn died(queue: &str, reason: &str) -> AMQPValue {
        let mut death = FieldTable::default();
        death.insert("queue".into(), long(queue));
        death.insert("reason".into(), long(reason));
        death.insert("time".into(), AMQPValue::Timestamp(7));
        AMQPValue::FieldTable(death)
    }

    #[test]
    fn receiving_a_dead_letter_does_not_change_its_id_and_anything_else_does() {
        let first = letter(&[(REASON, long("unreadable"))]);
        let inspections = AMQPValue::LongLongInt(3);
        let again = letter(&[(REASON, long("unreadable")), ("x-delivery-count", inspections)]);
        assert_eq!((first.id.clone(), again.inspections), (again.id, 3));
        assert_eq!(first.id.as_str().parse::<DeadLetterId>().unwrap(), first.id);
        let replayed = letter(&[(REASON, long("unreadable")), (REPLAYS, AMQPValue::LongInt(1))]);
        assert_ne!(first.id, replayed.id);
        assert!("../../etc/passwd".parse::<DeadLetterId>().is_err());
    }

    #[test]
    fn the_last_dead_lettering_decides_reason_and_time() {
        let ours = letter(&[(REASON, long("unreadable")), (LAST_AT, AMQPValue::Timestamp(5))]);
        assert_eq!(
            (ours.reason.as_str(), ours.dead_lettered_at.unwrap().unix_timestamp()),
            ("unreadable", 5)
        );
        // Put back by a shovel, which leaves our headers on it, and then dead-lettered by the broker.
        let deaths = vec![died("q", "delivery_limit"), died("q.retry.500", "expired")];
        let history = (DEATH, AMQPValue::FieldArray(deaths.into()));
        let theirs = letter(&[(REASON, long("unreadable")), history]);
        assert_eq!(
            (theirs.reason.as_str(), theirs.dead_lettered_at.unwrap().unix_timestamp()),
            ("delivery_limit", 7)
        );
        assert!(theirs.detail.unwrap().contains("readers that died"));
        assert_eq!(letter(&[]).reason, "none");
        assert_eq!(letter(&[(REASON, long("a\u{1b}[31m\0"))]).reason, "a\u{fffd}[31m\u{fffd}");
    }

    #[test]
    fn a_replay_counts_and_drops_headers_that_command_the_broker() {
        let deaths = vec![died("q", "delivery_limit")];
        let dead = letter(&[
            (ATTEMPTS, AMQPValue::LongLongInt(4)),
            (PANICS, AMQPValue::LongLongInt(3)),
            (REPLAYS, AMQPValue::LongLongInt(1)),
            (REASON, long("reader_panicked")),
            ("pad", long(&"x".repeat(40_000))),
            ("theirs", long("kept")),
            ("CC", AMQPValue::FieldArray(vec![long("q")].into())),
            (DEATH, AMQPValue::FieldArray(deaths.into())),
        ]);
        let copy = dead.replay("exchange", &queue());
        let headers = copy.properties.headers().clone().unwrap();
        let keys: Vec<_> = headers.inner().keys().map(ToString::to_string).collect();
        assert_eq!(keys, ["theirs", "x-attempts", "x-replays"]);
        assert_eq!((number(&headers, ATTEMPTS), number(&headers, REPLAYS)), (4, 2));
        assert_eq!((copy.exchange.as_str(), copy.routing_key.as_str()), ("exchange", "q"));
        assert_eq!(*copy.body, b"body");
        assert_eq!(*copy.properties.delivery_mode(), Some(2));
    }
}
