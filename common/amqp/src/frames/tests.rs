use lapin::BasicProperties;
use lapin::protocol::basic::parse_properties;
use lapin::types::AMQPValue;
use proptest::prelude::*;

use super::*;

fn header(flags: u16, properties: &[u8]) -> Vec<u8> {
    let mut payload = vec![0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    payload.extend(flags.to_be_bytes());
    payload.extend(properties);
    payload
}

fn nested_arrays(depth: usize) -> Vec<u8> {
    let mut value = vec![b'V'];
    for _ in 0..depth {
        let size = u32::try_from(value.len()).unwrap().to_be_bytes();
        value = [b"A", size.as_slice(), &value].concat();
    }
    value
}

fn table(name: &[u8], value: &[u8]) -> Vec<u8> {
    let entry = [&[u8::try_from(name.len()).unwrap()], name, value].concat();
    [u32::try_from(entry.len()).unwrap().to_be_bytes().as_slice(), &entry].concat()
}

/// The properties as the client library parses them.
fn parsed(payload: &[u8]) -> BasicProperties {
    parse_properties(&payload[12..]).unwrap().1
}

fn replaced(flags: u16, properties: &[u8]) -> BasicProperties {
    parsed(&harmless_header(&header(flags, properties)).unwrap())
}

fn why(properties: &BasicProperties) -> String {
    let headers = properties.headers().as_ref().unwrap();
    let Some(AMQPValue::LongString(why)) = headers.inner().get(UNREADABLE) else { panic!() };
    why.to_string()
}

#[test]
fn what_the_client_can_parse_stays() {
    let id = [&[2, b'i', b'd'], 9u64.to_be_bytes().as_slice()].concat();
    for (flags, properties) in [
        (0, Vec::new()),
        (HEADERS_FLAG, table(b"a", &nested_arrays(DEPTH_MAX - 1))),
        (1 << 7 | 1 << 6, id),
    ] {
        let payload = header(flags, &properties);
        assert_eq!(harmless_header(&payload), None);
        parsed(&payload);
    }
}

#[test]
fn headers_that_are_nested_too_deep_are_left_out_and_the_rest_stays() {
    for depth in [DEPTH_MAX, 11_000] {
        let properties = [table(b"a", &nested_arrays(depth)).as_slice(), &[2, b'i', b'd']].concat();
        let kept = replaced(HEADERS_FLAG | 1 << 7, &properties);
        assert_eq!(kept.message_id().as_ref().unwrap().as_str(), "id");
        assert!(why(&kept).contains("nested"), "{kept:?}");
    }
}

#[test]
fn texts_that_are_not_utf8_are_left_out() {
    let kept = replaced(1 << 15 | 1 << 10 | 1 << 7, &[1, b't', 2, 0xff, 0xfe, 1, b'm']);
    assert_eq!(kept.content_type().as_ref().unwrap().as_str(), "t");
    assert_eq!(kept.correlation_id(), &None);
    assert_eq!(kept.message_id().as_ref().unwrap().as_str(), "m");
    assert!(why(&replaced(HEADERS_FLAG, &table(b"\xff", b"V"))).contains("UTF-8"));
}

proptest! {
    #[test]
    fn every_content_header_becomes_one_that_the_client_parses(
        flags in any::<u16>(),
        properties in proptest::collection::vec(
            prop_oneof![any::<u8>(), 0u8..4, proptest::sample::select(b"AFSxtILVq".to_vec())],
            0..200,
        ),
    ) {
        // Flags below the properties are not parsed by anyone.
        let payload = header(flags & !3, &properties);
        let harmless = harmless_header(&payload).unwrap_or(payload);
        prop_assert!(parse_properties(&harmless[12..]).is_ok());
    }
}
