//! Properties of every kind that RabbitMQ accepts. Properties that it refuses by closing the
//! channel (an expiration that is no number, a `CC` that is no list, another user's name) never
//! reach the services.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, DecimalValue, FieldTable};
use testkit::rabbitmq;

use super::chance::Chance;

const NAMES: [&str; 12] = [
    "x-attempts",
    "x-panics",
    "x-reason",
    "x-detail",
    "x-first-at",
    "x-last-at",
    "x-death",
    "x-delivery-count",
    "x-first-death-queue",
    "traceparent",
    "",
    "ünicode",
];

/// Random properties.
pub(super) fn any(chance: &mut Chance) -> BasicProperties {
    let mut all = BasicProperties::default();
    if chance.once_in(2) {
        all = all.with_headers(headers(chance));
    }
    if chance.once_in(3) {
        all = all.with_message_id(text(chance).into()).with_correlation_id(text(chance).into());
    }
    if chance.once_in(3) {
        all = all.with_content_type(chance.one_of(&["text/plain", "", "application/xml"]).into());
    }
    if chance.once_in(4) {
        all = all.with_content_encoding(text(chance).into()).with_type(text(chance).into());
    }
    if chance.once_in(4) {
        let nowhere = chance.one_of(&["processingorders", "nowhere", ""]);
        all = all.with_reply_to(nowhere.into()).with_app_id(text(chance).into());
    }
    if chance.once_in(4) {
        all = all.with_priority(chance.bytes(1)[0]).with_timestamp(chance.number());
    }
    if chance.once_in(8) {
        all = all.with_expiration("3600000".into()).with_user_id(rabbitmq::USER.into());
    }
    all
}

fn headers(chance: &mut Chance) -> FieldTable {
    let mut table = FieldTable::default();
    for _ in 0..chance.below(5) {
        table.insert(chance.one_of(&NAMES).into(), value(chance, 3));
    }
    if chance.once_in(20) {
        let more = vec![AMQPValue::LongString(chance.one_of(&["nowhere", "no-queue"]).into())];
        let name = chance.one_of(&["CC", "BCC"]);
        table.insert(name.into(), AMQPValue::FieldArray(more.into()));
    }
    if chance.once_in(100) {
        let size = chance.below(40_000);
        table.insert("pad".into(), AMQPValue::LongString("x".repeat(size).into()));
    }
    table
}

fn text(chance: &mut Chance) -> String {
    let count = chance.below(100);
    chance.one_of(&["x", "ü", " ", "\u{0}", "\n", "'\"{", "同"]).repeat(count.min(80))
}

/// A value of any type, nested in at most `depth` tables or lists.
fn value(chance: &mut Chance, depth: usize) -> AMQPValue {
    let any = chance.number();
    let [a, b, c, d, ..] = any.to_le_bytes();
    match chance.below(if depth == 0 { 16 } else { 18 }) {
        0 => AMQPValue::Boolean(a > 99),
        1 => AMQPValue::ShortShortInt(i8::from_le_bytes([a])),
        2 => AMQPValue::ShortShortUInt(a),
        3 => AMQPValue::ShortInt(i16::from_le_bytes([a, b])),
        4 => AMQPValue::ShortUInt(u16::from_le_bytes([a, b])),
        5 => AMQPValue::LongInt(i32::from_le_bytes([a, b, c, d])),
        6 => AMQPValue::LongUInt(u32::from_le_bytes([a, b, c, d])),
        7 => AMQPValue::LongLongInt(any.cast_signed()),
        8 => AMQPValue::LongLongInt(chance.one_of(&[i64::MIN, -1, i64::MAX])),
        9 => AMQPValue::Float(f32::from(a) / 3.0),
        10 => AMQPValue::Double(f64::from(a) * 1e300),
        11 => AMQPValue::DecimalValue(DecimalValue { scale: a, value: 7 }),
        12 => AMQPValue::LongString(chance.bytes(usize::from(a)).into()),
        13 => AMQPValue::Timestamp(any),
        14 => AMQPValue::ByteArray(chance.bytes(usize::from(a)).into()),
        15 => AMQPValue::Void,
        16 => {
            let values: Vec<_> = (0..a % 4).map(|_| value(chance, depth - 1)).collect();
            AMQPValue::FieldArray(values.into())
        }
        _ => {
            let mut table = FieldTable::default();
            for _ in 0..a % 4 {
                table.insert(chance.one_of(&NAMES).into(), value(chance, depth - 1));
            }
            AMQPValue::FieldTable(table)
        }
    }
}
