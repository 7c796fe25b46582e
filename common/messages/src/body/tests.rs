use proptest::prelude::*;

use super::*;

const ORDER: &str = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5";

fn request(request_id: Option<&str>) -> PaymentRequest {
    PaymentRequest {
        order_id: ORDER.parse().unwrap(),
        total: "199.9".parse().unwrap(),
        currency: Currency::Usd,
        customer_id: "1".parse().unwrap(),
        payment_method: Some("pm_card_visa".parse().unwrap()),
        request_id: request_id.map(|id| id.parse().unwrap()),
        traceparent: None,
    }
}

#[test]
fn one_request_is_the_object_of_the_contract() {
    let body = encode_requests(&[request(None)], None);
    let wanted = format!(
        r#"{{"orderId":"{ORDER}","totalPrice":199.9,"currency":"USD","customerId":"1","paymentMethod":"pm_card_visa"}}"#
    );
    assert_eq!(String::from_utf8(body).unwrap(), wanted);
}

#[test]
fn several_requests_are_a_pack_and_carry_their_request_ids() {
    let two = [request(Some("a")), request(Some("b"))];
    let body = encode_requests(&two, None);
    let read: Result<Vec<_>, _> = decode_requests(&body).into_iter().map(|p| p.read).collect();
    assert_eq!(read.unwrap(), two);
}

#[test]
fn a_byte_order_mark_belongs_to_no_object() {
    for requests in [vec![request(None)], vec![request(Some("a")), request(Some("b"))]] {
        let plain = encode_requests(&requests, None);
        let marked = ["\u{feff}".as_bytes(), &plain].concat();
        assert_eq!(decode_requests(&marked), decode_requests(&plain));
    }
    let result = format!("\u{feff}\n{{\"orderId\":\"{ORDER}\",\"paymentStatus\":\"failed\"}}");
    assert!(decode_results(result.as_bytes())[0].read.is_ok());
    let unreadable = "\u{feff}[".as_bytes();
    assert_eq!(decode_results(unreadable)[0].bytes, unreadable, "the copy is the whole body");
}

#[test]
fn unknown_fields_and_the_old_spelling_of_successful_are_read() {
    let body = format!(r#" {{"orderId":"{ORDER}","paymentStatus":"successfull","new":[1,2]}}"#);
    let [Part { read: Ok(result), .. }] = &decode_results(body.as_bytes())[..] else {
        panic!("not read")
    };
    assert_eq!(result.verdict, Verdict::Captured);
    assert_eq!(result.payment_id, None);
}

#[test]
fn a_bad_object_does_not_spoil_its_pack() {
    let body = format!(
        r#"[{{"orderId":"{ORDER}","paymentStatus":"failed","reason":"why"}},{{"orderId":7}},
            {{"orderId":"{ORDER}","paymentStatus":"maybe"}}]"#
    );
    let read = decode_results(body.as_bytes());
    assert!(
        matches!(&read[0].read, Ok(r) if r.verdict == Verdict::Declined(Some(Reason::from_text("why"))))
    );
    assert_eq!(read[1].bytes, br#"{"orderId":7}"#);
    assert!(read[1].read.is_err());
    assert!(read[2].read.as_ref().unwrap_err().contains("paymentStatus must be"));
}

#[test]
fn an_array_of_values_is_no_object() {
    let requests = format!(r#"[["{ORDER}",199,"USD","1",null,null]]"#);
    let results = format!(r#"[["{ORDER}","successful",null,null,null]]"#);
    assert!(decode_requests(requests.as_bytes())[0].read.is_err());
    assert!(decode_results(results.as_bytes())[0].read.is_err());
}

#[test]
fn an_unreadable_body_comes_back_whole_with_the_reason() {
    let too_deep = "[".repeat(100_000);
    let too_large = vec![b' '; BODY_MAX_BYTES + 1];
    let bodies: [&[u8]; 7] =
        [b"", b"\xff", b"nonsense", b"[]", b"null", too_deep.as_bytes(), &too_large];
    for body in bodies {
        let read = decode_requests(body);
        assert_eq!(read.len(), 1);
        assert!(read[0].read.is_err());
        assert_eq!(read[0].bytes, body);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!decode_requests(&body).is_empty());
        prop_assert!(!decode_results(&body).is_empty());
    }

    #[test]
    fn results_read_back_as_they_were_written(reason in "[ -~]{1,50}", captured: bool, n in 1..5_usize) {
        let verdict = if captured { Verdict::Captured } else { Verdict::Declined(Some(Reason::from_text(&reason))) };
        let result = PaymentResult {
            order_id: OrderId::new(),
            verdict,
            payment_id: Some("p".to_owned()),
            request_id: (n > 1).then(|| "r".parse().unwrap()),
            traceparent: (n > 1 && captured).then(|| TraceParent::of_order(OrderId::new())),
        };
        let results = vec![result; n];
        let body = encode_results(&results);
        let read: Result<Vec<_>, _> = decode_results(&body).into_iter().map(|p| p.read).collect();
        prop_assert_eq!(read.unwrap(), results);
    }
}
