use std::fmt;
use std::str::FromStr;

use crate::domain::{Invalid, OrderId};

/// What stands around a body, in the terms of AMQP's basic properties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Names the message. It stays the same however often the message is published.
    pub message_id: String,
    /// The id of the HTTP request that caused it.
    pub correlation_id: Option<String>,
    /// Where an answer goes.
    pub reply_to: Option<String>,
    /// What kind of body: `payment_request` or `payment_result`.
    pub kind: Option<&'static str>,
    /// The program that wrote it.
    pub app_id: Option<&'static str>,
    /// The trace it belongs to.
    pub traceparent: Option<TraceParent>,
    /// How often its work was begun before without an end; 0 at first.
    pub attempts: u32,
}

/// A W3C trace context of version 00 (<https://www.w3.org/TR/trace-context/#traceparent-header>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// The context of an order whose client brought none: the order's id is the trace id, and
    /// the trace is not sampled.
    pub fn of_order(id: OrderId) -> TraceParent {
        let (_, low) = id.0.as_u64_pair();
        TraceParent(format!("00-{}-{low:016x}-00", id.0.simple()))
    }

    /// The header's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TraceParent {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let hex = |part: &str, len: usize| {
            part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let parts: Vec<&str> = text.split('-').collect();
        match parts[..] {
            ["00", trace, span, flags]
                if hex(trace, 32)
                    && hex(span, 16)
                    && hex(flags, 2)
                    && trace.contains(|c| c != '0')
                    && span.contains(|c| c != '0') =>
            {
                Ok(TraceParent(text.to_owned()))
            }
            _ => Err(Invalid("must be a W3C traceparent of version 00")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_without_a_trace_gets_a_valid_one_that_names_the_order() {
        let id = OrderId::new();
        let context = TraceParent::of_order(id);
        assert_eq!(context.as_str().parse::<TraceParent>().unwrap(), context);
        assert!(context.as_str().contains(&id.0.simple().to_string()));
    }

    #[test]
    fn a_context_that_is_not_one_is_refused() {
        for wrong in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        ] {
            assert!(wrong.parse::<TraceParent>().is_err(), "{wrong:?} was taken");
        }
    }
}
