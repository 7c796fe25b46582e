//! Bodies and queries of the HTTP API.

use std::collections::HashMap;
use std::fmt::Debug;

use domain::{Amount, CustomerId, ProductId, Quantity};
use order_management::reading::{self, Refused};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::decimal;

type Fields = HashMap<String, Box<RawValue>>;

/// The body of a new order.
pub fn order_body(body: &[u8]) {
    let Some((order, fields)) = read(body, reading::order) else { return };
    assert!((1..=CustomerId::MAX).contains(&order.customer_id.get()));
    assert!((1..=ProductId::MAX).contains(&order.product_id.get()));
    assert!((1..=Quantity::MAX).contains(&order.quantity.get()));
    if let Some(number) = fields.get("quantity") {
        decimal::same(number.get(), &order.quantity.get().to_string());
    }
    if let (Some(number), Some(total)) = (fields.get("expectedTotal"), order.expected_total) {
        decimal::same(number.get(), &total.to_string());
    }
    let again = json!({
        "customerId": order.customer_id.to_string(),
        "productId": order.product_id.to_string(),
        "quantity": order.quantity.get(),
        "paymentMethod": order.payment_method.as_ref().map(|method| method.as_str()),
        "expectedTotal": order.expected_total.map(number),
    });
    reads_back(&order, &again, reading::order);
}

/// The bodies of a new product and of a change to one.
pub fn product_body(body: &[u8]) {
    if let Some((new, fields)) = read(body, reading::product) {
        line(new.name.as_str(), 200);
        exact(&fields, new.price);
        let again = json!({
            "name": new.name.as_str(), "price": number(new.price), "currency": new.currency.code(),
        });
        reads_back(&new, &again, reading::product);
    }
    if let Some((change, fields)) = read(body, reading::product_patch) {
        change.name.iter().for_each(|name| line(name.as_str(), 200));
        change.price.into_iter().for_each(|price| exact(&fields, price));
        let name = change.name.as_ref().map(|name| name.as_str());
        let again = json!({"name": name, "price": change.price.map(number)});
        reads_back(&change, &again, reading::product_patch);
    }
}

/// The bodies of a new customer and of a change to one.
pub fn customer_body(body: &[u8]) {
    if let Some((new, _)) = read(body, reading::customer) {
        line(new.name.as_str(), 200);
        line(new.email.as_str(), 254);
        let again = json!({"name": new.name.as_str(), "email": new.email.as_str()});
        reads_back(&new, &again, reading::customer);
    }
    if let Some((change, _)) = read(body, reading::customer_patch) {
        let name = change.name.as_ref().map(|name| name.as_str());
        let email = change.email.as_ref().map(|email| email.as_str());
        let again = json!({"name": name, "email": email});
        reads_back(&change, &again, reading::customer_patch);
    }
}

/// The query of a page, with its cursor.
pub fn page_query(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(page) = answered(reading::orders_page(text)) {
        assert!((1..=500).contains(&page.limit));
        let mut again = format!("limit={}", page.limit);
        page.customer_id.iter().for_each(|id| again += &format!("&customerId={id}"));
        page.status.iter().for_each(|status| again += &format!("&status={status}"));
        page.before.iter().for_each(|id| again += &format!("&cursor={id}"));
        let again = reading::orders_page(&again);
        assert_eq!(format!("{again:?}"), format!("{:?}", Ok::<_, Refused>(page)));
    }
    if let Ok((after, limit)) = answered(reading::products_page(text)) {
        let cursor = after.map(|id| format!("&cursor={id}")).unwrap_or_default();
        assert_eq!(reading::products_page(&format!("limit={limit}{cursor}")), Ok((after, limit)));
    }
    let customers = reading::customers_page(text).map(|(after, n)| (after.map(CustomerId::get), n));
    let products = reading::products_page(text).map(|(after, n)| (after.map(ProductId::get), n));
    let products_as_such = products.map_err(|refused| refused.status);
    assert_eq!(customers.map_err(|refused| refused.status), products_as_such);
}

/// The value, with the fields that another parser finds; `None` if the body was refused with the
/// right status.
fn read<T>(body: &[u8], read: fn(&[u8]) -> Result<T, Refused>) -> Option<(T, Fields)> {
    // A byte order mark is skipped.
    let json = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let fields = serde_json::from_slice::<Fields>(json);
    match answered(read(body)) {
        Ok(value) => {
            let Ok(fields) = fields else {
                panic!("a value was read from no JSON object: {body:?}")
            };
            Some((value, fields))
        }
        Err(refused) => {
            let complaint = "a JSON object was refused as malformed";
            assert!(fields.is_err() || refused.status == 422, "{complaint}: {body:?}");
            None
        }
    }
}

/// Checks that a refusal is a 400, or a 422 that names its fields.
fn answered<T>(read: Result<T, Refused>) -> Result<T, Refused> {
    if let Err(refused) = &read {
        let named = !refused.fields.is_empty();
        assert!(
            matches!((refused.status, named), (400, false) | (422, true)),
            "refused with {refused:?}"
        );
    }
    read
}

/// Checks that `body`, whose nulls are fields that were left out, is read as `value`.
fn reads_back<T: Debug + PartialEq>(
    value: &T,
    body: &Value,
    read: fn(&[u8]) -> Result<T, Refused>,
) {
    let mut body = body.clone();
    body.as_object_mut().into_iter().for_each(|fields| fields.retain(|_, value| !value.is_null()));
    assert_eq!(read(body.to_string().as_bytes()).as_ref(), Ok(value));
}

fn line(text: &str, max: usize) {
    assert!((1..=max).contains(&text.chars().count()), "{text:?}");
    assert!(!text.contains(char::is_control) && text.trim() == text, "{text:?}");
}

fn exact(fields: &Fields, price: Amount) {
    assert!((0..=Amount::MAX.minor()).contains(&price.minor()));
    if let Some(number) = fields.get("price") {
        decimal::same(number.get(), &price.to_string());
    }
}

/// The amount as a JSON number with the same digits.
fn number(price: Amount) -> Box<RawValue> {
    match RawValue::from_string(price.to_string()) {
        Ok(number) => number,
        Err(error) => panic!("{price} is no number: {error}"),
    }
}
