use std::borrow::Cow;

use domain::{
    About, Amount, Currency, CustomerId, OrderId, PaymentMethod, Reason, RequestId, TraceParent,
    Verdict,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::json_amount::ExactNumber;
use super::signing::SigningKeys;

mod wire;

use self::wire::{RequestOnWire, ResultOnWire};

/// Largest body that is read, in bytes. A larger body is unreadable.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
/// Largest number of objects in one pack. A larger pack is unreadable.
pub const PACK_MAX: usize = 1000;

/// The request to charge an order, on `processingorders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRequest {
    /// The order, and the key under which the gateway charges it.
    pub order_id: OrderId,
    /// Amount to charge.
    pub total: Amount,
    /// Currency of the amount.
    pub currency: Currency,
    /// The customer.
    pub customer_id: CustomerId,
    /// Payment method to charge; `None` leaves the choice to the gateway.
    pub payment_method: Option<PaymentMethod>,
    /// Id of the HTTP request that placed the order. An object of a pack contains the id; for a
    /// single object the message's correlation id has it.
    pub request_id: Option<RequestId>,
    /// Trace of the HTTP request; `None` for the order's own trace. An object of a pack contains
    /// the trace; for a single object the message's header has it.
    pub traceparent: Option<TraceParent>,
}

impl PaymentRequest {
    /// The order's ids for log lines and spans.
    pub fn about(&self) -> About<'_> {
        About {
            order_id: self.order_id,
            request_id: self.request_id.as_ref(),
            traceparent: self.traceparent,
        }
    }
}

/// The verdict on an order, on `processedorders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentResult {
    /// The order.
    pub order_id: OrderId,
    /// The gateway's verdict.
    pub verdict: Verdict,
    /// The worker's id of the payment, if the worker gave one.
    pub payment_id: Option<String>,
    /// The same as [`PaymentRequest::request_id`].
    pub request_id: Option<RequestId>,
    /// The same as [`PaymentRequest::traceparent`].
    pub traceparent: Option<TraceParent>,
}

impl PaymentResult {
    /// The order's ids for log lines and spans.
    pub fn about(&self) -> About<'_> {
        About {
            order_id: self.order_id,
            request_id: self.request_id.as_ref(),
            traceparent: self.traceparent,
        }
    }
}

/// One object of a body: the only object, or one of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a, T> {
    /// The object's bytes as received. For a body that is unreadable as a whole, all bytes of the
    /// body.
    pub bytes: &'a [u8],
    /// The object's content, or the reason why the object is unreadable.
    pub read: Result<T, String>,
}

/// Writes payment requests: one object for one request, a pack for several; each object is signed if
/// there are keys.
pub fn encode_requests(requests: &[PaymentRequest], keys: Option<&SigningKeys>) -> Vec<u8> {
    let Some(keys) = keys else { return encode(requests, request_on_wire) };
    let packed = requests.len() != 1;
    let mut body = Vec::new();
    for request in requests {
        let mut object = json(&request_on_wire(request, packed));
        keys.sign(&mut object);
        body.push(if body.is_empty() { b'[' } else { b',' });
        body.extend(object);
    }
    match packed {
        true => {
            body.push(b']');
            body
        }
        false => body.split_off(1),
    }
}

fn request_on_wire(r: &PaymentRequest, packed: bool) -> RequestOnWire<'_> {
    RequestOnWire {
        order_id: Cow::Owned(r.order_id.to_string()),
        total_price: ExactNumber(r.total),
        currency: Cow::Borrowed(r.currency.code()),
        customer_id: Cow::Owned(r.customer_id.to_string()),
        payment_method: r.payment_method.as_ref().map(|m| Cow::Borrowed(m.as_str())),
        request_id: r.request_id.as_ref().filter(|_| packed).map(|id| Cow::Borrowed(id.as_str())),
        traceparent: r.traceparent.filter(|_| packed).map(|t| Cow::Owned(t.to_string())),
    }
}

/// Writes payment results: one object for one result, a pack for several.
pub fn encode_results(results: &[PaymentResult]) -> Vec<u8> {
    encode(results, |r, packed| {
        let (payment_status, reason) = match &r.verdict {
            Verdict::Captured => ("successful", None),
            Verdict::Declined(reason) => ("failed", reason.as_ref().map(Reason::as_str)),
        };
        ResultOnWire {
            order_id: Cow::Owned(r.order_id.to_string()),
            payment_status: Cow::Borrowed(payment_status),
            payment_id: r.payment_id.as_deref().map(Cow::Borrowed),
            reason: reason.map(Cow::Borrowed),
            request_id: r
                .request_id
                .as_ref()
                .filter(|_| packed)
                .map(|id| Cow::Borrowed(id.as_str())),
            traceparent: r.traceparent.filter(|_| packed).map(|t| Cow::Owned(t.to_string())),
        }
    })
}

/// Reads payment requests: one part per object, in the order of the body. An unreadable object does
/// not affect the others. Returns at least one part.
pub fn decode_requests(body: &[u8]) -> Vec<Part<'_, PaymentRequest>> {
    decode(body, |text| {
        let wire: RequestOnWire<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        Ok(PaymentRequest {
            order_id: parse("orderId", &wire.order_id)?,
            total: wire.total_price.0,
            currency: parse("currency", &wire.currency)?,
            customer_id: parse("customerId", &wire.customer_id)?,
            payment_method: optional("paymentMethod", wire.payment_method.as_deref())?,
            request_id: wire.request_id.and_then(|id| id.parse().ok()),
            traceparent: wire.traceparent.and_then(|context| context.parse().ok()),
        })
    })
}

/// Reads payment results as [`decode_requests`] does.
pub fn decode_results(body: &[u8]) -> Vec<Part<'_, PaymentResult>> {
    decode(body, |text| {
        let wire: ResultOnWire<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let verdict = match wire.payment_status.as_ref() {
            "successful" | "successfull" => Verdict::Captured,
            "failed" => Verdict::Declined(wire.reason.as_deref().map(Reason::from_text)),
            _ => return Err("paymentStatus must be \"successful\" or \"failed\"".to_owned()),
        };
        Ok(PaymentResult {
            order_id: parse("orderId", &wire.order_id)?,
            verdict,
            payment_id: wire.payment_id.map(Cow::into_owned),
            request_id: wire.request_id.and_then(|id| id.parse().ok()),
            traceparent: wire.traceparent.and_then(|context| context.parse().ok()),
        })
    })
}

fn encode<'a, T, W: Serialize>(items: &'a [T], wire: impl Fn(&'a T, bool) -> W) -> Vec<u8> {
    match items {
        [one] => json(&wire(one, false)),
        many => json(&many.iter().map(|i| wire(i, true)).collect::<Vec<_>>()),
    }
}

/// Strings and numbers, written to memory: the types have nothing that fails to be JSON.
fn json(wire: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(wire).unwrap_or_default()
}

fn decode<T>(body: &[u8], read: impl Fn(&str) -> Result<T, String>) -> Vec<Part<'_, T>> {
    match objects(body) {
        Ok(texts) => texts
            .into_iter()
            .map(|text| Part {
                bytes: text.as_bytes(),
                read: read(text).and_then(|value| of_object(text, value)),
            })
            .collect(),
        Err(why) => vec![Part { bytes: body, read: Err(why) }],
    }
}

/// Refuses everything but an object: serde accepts an array of the fields' values as well, the
/// contract does not.
fn of_object<T>(text: &str, read: T) -> Result<T, String> {
    if text.trim_start().starts_with('{') { Ok(read) } else { Err("not an object".to_owned()) }
}

/// Divides a body into the texts of its objects; a byte order mark (RFC 8259 §8.1) is in none of them.
fn objects(body: &[u8]) -> Result<Vec<&str>, String> {
    if body.len() > BODY_MAX_BYTES {
        return Err(format!("the body has {} bytes, more than {BODY_MAX_BYTES}", body.len()));
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|e| format!("not UTF-8: {e}"))?;
    if !text.trim_start().starts_with('[') {
        return Ok(vec![text]);
    }
    let pack: Vec<&RawValue> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    match pack.len() {
        0 => Err("an empty pack".to_owned()),
        n if n > PACK_MAX => Err(format!("a pack of {n} objects, more than {PACK_MAX}")),
        _ => Ok(pack.into_iter().map(RawValue::get).collect()),
    }
}

fn parse<T>(field: &str, text: &str) -> Result<T, String>
where
    T: std::str::FromStr<Err = domain::Invalid>,
{
    text.parse().map_err(|refusal| format!("{field} {refusal}"))
}

fn optional<T>(field: &str, text: Option<&str>) -> Result<Option<T>, String>
where
    T: std::str::FromStr<Err = domain::Invalid>,
{
    text.map(|text| parse(field, text)).transpose()
}

#[cfg(test)]
mod tests;
