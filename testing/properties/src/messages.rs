//! The two bodies between the services.

use std::collections::HashMap;
use std::fmt::Debug;

use domain::{Amount, CustomerId, Reason, Verdict};
use messages::{BODY_MAX_BYTES, PACK_MAX, Part, PaymentRequest, PaymentResult};
use messages::{decode_requests, decode_results, encode_requests, encode_results};
use serde_json::value::RawValue;

use crate::decimal;

/// Decoding payment requests.
pub fn payment_requests(body: &[u8]) {
    let parts = decode_requests(body);
    parts_of(body, &parts, decode_requests);
    for (request, fields) in parts.iter().filter_map(good) {
        assert!((0..=Amount::MAX.minor()).contains(&request.total.minor()));
        assert!((1..=CustomerId::MAX).contains(&request.customer_id.get()));
        if let Some(number) = fields.get("totalPrice") {
            decimal::same(number.get(), &request.total.to_string());
        }
    }
    let read: Vec<_> = parts.into_iter().filter_map(|part| part.read.ok()).collect();
    let alone = read.len() == 1;
    let plain = |request: PaymentRequest| PaymentRequest {
        // A request that is alone in its message has the id in the message's properties.
        request_id: request.request_id.filter(|_| !alone),
        ..request
    };
    let read: Vec<_> = read.into_iter().map(plain).collect();
    reads_back(&read, &encode_requests(&read, None), decode_requests);
}

/// Decoding payment results.
pub fn payment_results(body: &[u8]) {
    let parts = decode_results(body);
    parts_of(body, &parts, decode_results);
    for (result, _) in parts.iter().filter_map(good) {
        if let Verdict::Declined(Some(reason)) = &result.verdict {
            assert!(reason.as_str().chars().count() <= Reason::MAX_LEN);
            assert!(!reason.as_str().contains(char::is_control));
        }
    }
    let read: Vec<_> = parts.into_iter().filter_map(|part| part.read.ok()).collect();
    let alone = read.len() == 1;
    let plain = |result: PaymentResult| PaymentResult {
        request_id: result.request_id.filter(|_| !alone),
        ..result
    };
    let read: Vec<_> = read.into_iter().map(plain).collect();
    reads_back(&read, &encode_results(&read), decode_results);
}

/// A part that was read, with the fields that another parser finds in it.
fn good<'a, T>(part: &'a Part<'a, T>) -> Option<(&'a T, HashMap<String, Box<RawValue>>)> {
    let read = part.read.as_ref().ok()?;
    let Ok(fields) = serde_json::from_slice(part.bytes) else {
        panic!("a part was read from no JSON object: {:?}", part.bytes)
    };
    Some((read, fields))
}

/// Checks that there is at least one part and not too many, that the parts follow each other in the
/// body, and that a good part alone is good too, because it is forwarded alone.
fn parts_of<T: Debug + PartialEq>(
    body: &[u8],
    parts: &[Part<'_, T>],
    decode: impl Fn(&[u8]) -> Vec<Part<'_, T>>,
) {
    assert!((1..=PACK_MAX).contains(&parts.len()), "{} parts", parts.len());
    let mut free = body.as_ptr();
    for part in parts {
        let there = part.bytes.as_ptr_range();
        assert!(free <= there.start && there.end <= body.as_ptr_range().end, "not of the body");
        free = there.end;
        match &part.read {
            Err(why) => assert!(!why.is_empty()),
            Ok(_) => {
                let alone = decode(part.bytes);
                assert!(matches!(&alone[..], [one] if one.read == part.read), "{alone:?}");
            }
        }
    }
    assert!(body.len() <= BODY_MAX_BYTES || parts.iter().all(|part| part.read.is_err()));
}

fn reads_back<'a, T: Debug + PartialEq>(
    items: &[T],
    body: &'a [u8],
    decode: impl Fn(&'a [u8]) -> Vec<Part<'a, T>>,
) {
    if items.is_empty() || body.len() > BODY_MAX_BYTES {
        return;
    }
    let again = decode(body);
    assert_eq!(again.len(), items.len());
    for (part, item) in again.iter().zip(items) {
        assert_eq!(part.read.as_ref(), Ok(item));
    }
}
