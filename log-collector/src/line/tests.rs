use proptest::prelude::*;
use serde_json::json;

use super::*;

fn pack(body: &[u8]) -> LogPack {
    LogPack {
        body: body.to_vec(),
        service: Some("shop".to_owned()),
        origin: Some(("here-1".to_owned(), 40)),
        sent_at: Some(1_700_000_000),
    }
}

fn all(pack: &LogPack) -> Vec<Entry> {
    entries(pack).unwrap().collect()
}

fn only(line: &Value) -> Entry {
    all(&pack(line.to_string().as_bytes())).remove(0)
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let line = json!({"message": "settled", "level": "WARN"}).to_string();
    let entry = all(&pack(format!("\u{feff}{line}").as_bytes())).remove(0);
    assert_eq!((entry.level, &*entry.message), (Level::Warn, "settled"));
}

#[test]
fn a_line_is_taken_apart() {
    let id = OrderId::new();
    let entry = only(&json!({
        "time": "2026-11-21T15:00:00.123456Z", "level": "WARN", "target": "order", "service": "own",
        "instance": "x", "message": "settled", "order_id": id.to_string(), "request_id": "r-1",
        "trace_id": "0af7", "size": 3, "why": {"a": "b\u{0}"}
    }));
    assert_eq!((entry.order_ids, entry.request_ids), (vec![id], vec!["r-1".to_owned()]));
    assert_eq!(entry.trace_ids, ["0af7"]);
    assert_eq!((entry.level, &*entry.target, &*entry.message), (Level::Warn, "order", "settled"));
    assert_eq!((&*entry.service, &*entry.instance, entry.sequence), ("own", "here-1", 40));
    assert_eq!(entry.logged_at.unix_timestamp_nanos(), 1_795_273_200_123_456_000);
    let fields: Value = serde_json::from_str(&entry.fields).unwrap();
    assert_eq!(fields, json!({"size": 3, "why": {"a": "b\u{fffd}"}}));
}

#[test]
fn a_line_about_several_orders_has_the_ids_of_all() {
    let ids = [OrderId::new(), OrderId::new()];
    let orders: Vec<Value> = ids
        .iter()
        .map(|id| json!({"order_id": id.to_string(), "request_id": format!("r{id}"), "x": 1}))
        .collect();
    let entry = only(&json!({"message": "relayed", "orders": orders}));
    assert_eq!(entry.order_ids, ids);
    assert_eq!(entry.request_ids, ids.map(|id| format!("r{id}")));
    assert_eq!((entry.trace_ids.len(), &*entry.fields), (0, "{}"));
}

#[test]
fn text_that_is_not_json_becomes_the_message_and_every_line_has_its_number() {
    let read = all(&pack(b"plain \0 \xff text\n\n{\"message\":\"b\"}\n[1]\n"));
    let lines: Vec<_> = read.iter().map(|e| (e.sequence, &*e.message)).collect();
    assert_eq!(lines, [(40, "plain \u{fffd} \u{fffd} text"), (42, "b"), (43, "[1]")]);
    let first = &read[0];
    assert_eq!((&*first.service, first.level), ("shop", Level::Info));
    assert_eq!(first.logged_at.unix_timestamp(), 1_700_000_000);
}

#[test]
fn long_texts_are_cut_with_a_mark() {
    let long = "ä".repeat(10_000);
    let entry = only(&json!({"message": long, "target": long, "much": long}));
    assert!(entry.message.ends_with(CUT) && entry.message.len() <= MESSAGE_BYTES_MAX);
    assert!(entry.target.ends_with(CUT) && entry.target.len() <= NAME_BYTES_MAX);
    let fields: Value = serde_json::from_str(&entry.fields).unwrap();
    assert!(fields["cut"].as_str().unwrap().ends_with(CUT));
    let line = only(&json!({"message": "short", "much": "x".repeat(LINE_BYTES_MAX)}));
    assert!(line.message.starts_with("{\"message\":\"short\"") && line.message.ends_with(CUT));
    assert!(entries(&pack(&vec![b'\n'; BODY_BYTES_MAX + 1])).is_none());
}

#[test]
fn fields_that_cannot_be_read_stay() {
    let fields = json!({"time": "yesterday", "level": "loud", "orders": 7, "order_id": "x",
        "request_id": "a b"});
    let entry = only(&fields);
    assert_eq!((entry.level, entry.logged_at.unix_timestamp()), (Level::Info, 1_700_000_000));
    assert_eq!(serde_json::from_str::<Value>(&entry.fields).unwrap(), fields);
}

#[test]
fn a_number_with_hundreds_of_digits_is_kept_as_a_text() {
    let entry = only(&json!({"a": [1e300, -1e-300], "b": [0, -7, 0.5, 1e20, u64::MAX]}));
    let fields: Value = serde_json::from_str(&entry.fields).unwrap();
    let wanted = json!({"a": ["1e+300", "-1e-300"], "b": [0, -7, 0.5, 1e20, u64::MAX]});
    assert_eq!(fields, wanted);
}

#[test]
fn a_time_that_is_none_in_utc_is_no_time() {
    let entry = only(&json!({"time": "9999-12-31T23:59:59-00:01"}));
    assert_eq!(entry.logged_at.unix_timestamp(), 1_700_000_000);
    let entry = only(&json!({"time": "2026-11-21T23:30:00.5-01:00"}));
    assert_eq!(entry.logged_at.unix_timestamp(), 1_795_307_400);
    assert_eq!(entry.logged_at.offset(), UtcOffset::UTC);
}

#[test]
fn messages_without_an_origin_get_different_instances() {
    let unknown = LogPack { origin: None, ..pack(b"a") };
    let instances = [all(&unknown), all(&unknown)].map(|lines| lines[0].instance.clone());
    assert_ne!(instances[0], instances[1]);
}

proptest! {
    /// PostgreSQL accepts the rows of any bytes.
    #[test]
    fn every_row_can_be_stored(
        body in prop_oneof![
            any::<Vec<u8>>(),
            r#"\{"(message|orders|request_id|order_id|trace_id|service|x)":("(\\u0000|[a-z\n])*"|[0-9]+e?[0-9]|\[\{"order_id":"x"\}\])\}"#
                .prop_map(String::into_bytes),
        ],
        instance in any::<String>(),
        first in any::<u64>(),
    ) {
        for entry in all(&LogPack { origin: Some((instance, first)), ..pack(&body) }) {
            let texts = [&entry.instance, &entry.service, &entry.target, &entry.message];
            prop_assert!(texts.iter().all(|text| !text.contains('\0')));
            prop_assert!(entry.message.len() <= MESSAGE_BYTES_MAX);
            prop_assert!(entry.fields.len() <= FIELDS_BYTES_MAX && !entry.fields.contains("\\u0000"));
            prop_assert!(serde_json::from_str::<Map<String, Value>>(&entry.fields).is_ok());
            prop_assert!(entry.sequence >= 0);
            let ids = entry.request_ids.iter().chain(&entry.trace_ids);
            prop_assert!(ids.into_iter().all(|id| plain_id(id).is_some()));
        }
    }
}
