use lapin::BasicProperties;
use lapin::types::AMQPValue;
use serde_json::{Map, Value, json};

/// Properties and headers as JSON: texts as texts, times in seconds since 1970. Invalid UTF-8 is
/// replaced.
pub(crate) fn properties_json(properties: &BasicProperties) -> Value {
    let mut all = Map::new();
    for (name, text) in [
        ("contentType", properties.content_type()),
        ("contentEncoding", properties.content_encoding()),
        ("correlationId", properties.correlation_id()),
        ("replyTo", properties.reply_to()),
        ("expiration", properties.expiration()),
        ("messageId", properties.message_id()),
        ("type", properties.kind()),
        ("userId", properties.user_id()),
        ("appId", properties.app_id()),
    ] {
        all.extend(text.as_ref().map(|text| (name.to_owned(), json!(text.as_str()))));
    }
    all.extend(properties.timestamp().map(|seconds| ("timestamp".to_owned(), json!(seconds))));
    all.extend(properties.priority().map(|priority| ("priority".to_owned(), json!(priority))));
    let headers = properties.headers().clone().unwrap_or_default();
    let headers = headers.inner().iter().map(|(key, value)| (key.to_string(), header(value)));
    all.insert("headers".to_owned(), Value::Object(headers.collect()));
    Value::Object(all)
}

fn header(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Boolean(value) => json!(value),
        AMQPValue::ShortShortInt(value) => json!(value),
        AMQPValue::ShortShortUInt(value) => json!(value),
        AMQPValue::ShortInt(value) => json!(value),
        AMQPValue::ShortUInt(value) => json!(value),
        AMQPValue::LongInt(value) => json!(value),
        AMQPValue::LongUInt(value) => json!(value),
        AMQPValue::LongLongInt(value) => json!(value),
        AMQPValue::Float(value) => json!(value),
        AMQPValue::Double(value) => json!(value),
        AMQPValue::DecimalValue(value) => json!(format!("{value:?}")),
        AMQPValue::ShortString(text) => json!(text.as_str()),
        AMQPValue::LongString(text) => json!(String::from_utf8_lossy(text.as_bytes())),
        AMQPValue::ByteArray(bytes) => json!(String::from_utf8_lossy(bytes.as_slice())),
        AMQPValue::FieldArray(values) => values.as_slice().iter().map(header).collect(),
        AMQPValue::FieldTable(table) => {
            let fields = table.inner().iter().map(|(key, value)| (key.to_string(), header(value)));
            Value::Object(fields.collect())
        }
        AMQPValue::Timestamp(seconds) => json!(seconds),
        AMQPValue::Void => Value::Null,
    }
}
