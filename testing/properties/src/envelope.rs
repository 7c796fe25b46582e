//! A message's properties, from the wire to the copy for another queue.

use amqp::{Destination, Forward, Outgoing, WorkQueue, envelope as read};
use domain::TraceParent;
use lapin::protocol::basic::parse_properties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

/// Bytes of a frame for everything but the headers, with a margin.
const FRAME_LEFT: usize = 8 * 1024;
/// The frame size that the services negotiate with the broker.
const FRAME_MAX: usize = 64 * 1024;

/// Reads properties from the wire and copies them. `bytes` are a content header from its property
/// flags on.
pub fn envelope(bytes: &[u8]) {
    let Ok((_, properties)) = parse_properties(bytes) else { return };
    let envelope = read(&properties);
    if let Some(context) = &envelope.traceparent {
        assert_eq!(context.to_string().parse::<TraceParent>().as_ref(), Ok(context));
    }
    let dead = Destination::Dead { reason: "unreadable", detail: "x".repeat(2_000) };
    for to in [Destination::Retry, dead] {
        let queue = WorkQueue { name: "work".to_owned(), retry_delays: Vec::new() };
        let forward = Forward { body: Vec::new(), own: None, part: None, to };
        let copy = forward.outgoing(&queue, &properties);
        copied(&copy);
        let again = read(copy.properties());
        assert_eq!(again.attempts, envelope.attempts.saturating_add(1));
        assert_eq!(again.correlation_id, envelope.correlation_id);
        assert_eq!(again.reply_to, envelope.reply_to);
        let second = forward.outgoing(&queue, copy.properties());
        copied(&second);
        // As text, because a sender may put a NaN there, which is not equal to itself.
        let first_at = |copy| format!("{:?}", header(copy, "x-first-at"));
        assert_eq!(first_at(&second), first_at(&copy));
        assert_eq!(second.properties().message_id(), copy.properties().message_id());
    }
}

/// Checks that a copy contains no instruction for the broker and fits into a frame.
fn copied(copy: &Outgoing) {
    let properties = copy.properties();
    assert_eq!(*properties.delivery_mode(), Some(2));
    assert!(properties.message_id().is_some());
    assert_eq!(properties.expiration(), &None);
    assert_eq!(properties.user_id(), &None);
    assert_eq!(properties.priority(), &None);
    for own in ["CC", "BCC", "x-death", "x-delivery-count", "x-first-death-queue"] {
        assert_eq!(header(copy, own), None, "{own} instructs the broker");
    }
    let size = properties.headers().as_ref().map_or(0, size);
    assert!(size <= FRAME_MAX - FRAME_LEFT, "{size} bytes of headers");
}

fn header<'a>(copy: &'a Outgoing, key: &str) -> Option<&'a AMQPValue> {
    copy.properties().headers().as_ref()?.inner().get(key)
}

/// Headers in bytes (AMQP 0-9-1 §4.2.5.5, with RabbitMQ's types), each with its key.
fn size(table: &FieldTable) -> usize {
    let entry = |(key, value): (&ShortString, _)| 1 + key.as_str().len() + size_of_value(value);
    4 + table.inner().iter().map(entry).sum::<usize>()
}

fn size_of_value(value: &AMQPValue) -> usize {
    1 + match value {
        AMQPValue::Void => 0,
        AMQPValue::Boolean(_) | AMQPValue::ShortShortInt(_) | AMQPValue::ShortShortUInt(_) => 1,
        AMQPValue::ShortInt(_) | AMQPValue::ShortUInt(_) => 2,
        AMQPValue::LongInt(_) | AMQPValue::LongUInt(_) | AMQPValue::Float(_) => 4,
        AMQPValue::DecimalValue(_) => 5,
        AMQPValue::LongLongInt(_) | AMQPValue::Double(_) | AMQPValue::Timestamp(_) => 8,
        AMQPValue::ShortString(text) => 1 + text.as_str().len(),
        AMQPValue::LongString(text) => 4 + text.as_bytes().len(),
        AMQPValue::ByteArray(bytes) => 4 + bytes.as_slice().len(),
        AMQPValue::FieldArray(values) => {
            4 + values.as_slice().iter().map(size_of_value).sum::<usize>()
        }
        AMQPValue::FieldTable(table) => size(table),
    }
}
