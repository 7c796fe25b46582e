//! Single values: ids and cursors, keys, request ids, amounts.

use std::fmt::Display;
use std::str::FromStr;

use domain::TraceParent;
use domain::{Amount, Currency, CustomerId, IdempotencyKey, OrderId, OrderStatus};
use domain::{PaymentId, PaymentMethod, ProductId, Quantity, Reason, RequestId};

use crate::decimal;

/// Parses the same text as every kind of value of the domain.
pub fn values(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    stable::<OrderId>(text);
    stable::<PaymentId>(text);
    as_it_was(text, stable::<CustomerId>(text));
    as_it_was(text, stable::<ProductId>(text));
    as_it_was(text, stable::<OrderStatus>(text));
    as_it_was(text, stable::<Currency>(text));
    as_it_was(text, stable::<TraceParent>(text));
    as_it_was(text, stable::<RequestId>(text));
    as_it_was(text, stable::<IdempotencyKey>(text));
    let visible = text.bytes().all(|b| (b'!'..=b'~').contains(&b));
    let is = |max: usize| visible && (1..=max).contains(&text.len());
    assert_eq!(text.parse::<RequestId>().is_ok(), is(RequestId::MAX_LEN));
    assert_eq!(text.parse::<IdempotencyKey>().is_ok(), is(IdempotencyKey::MAX_LEN));
    if let Ok(method) = text.parse::<PaymentMethod>() {
        assert!(method.as_str() == text && text.len() <= 64);
    }
    if let Some(amount) = stable::<Amount>(text) {
        assert!((0..=Amount::MAX.minor()).contains(&amount.minor()));
        decimal::same(text, &amount.to_string());
    }
    if let Ok(quantity) = text.parse::<Quantity>() {
        decimal::same(text, &quantity.get().to_string());
    }
    let reason = Reason::from_text(text);
    assert!(reason.as_str().chars().count() <= Reason::MAX_LEN);
    assert_eq!(Reason::from_text(reason.as_str()), reason);
}

/// Checks that a value's text parses as the same value.
fn stable<T: FromStr + Display + PartialEq>(text: &str) -> Option<T> {
    let value = text.parse::<T>().ok()?;
    let again = value.to_string().parse::<T>().ok();
    assert!(again.as_ref() == Some(&value), "{text:?} gave {value}");
    Some(value)
}

/// Checks that a value has only one spelling.
fn as_it_was(text: &str, value: Option<impl Display>) {
    value.iter().for_each(|value| assert_eq!(value.to_string(), text));
}
