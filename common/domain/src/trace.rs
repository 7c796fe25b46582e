use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

use super::{Invalid, OrderId, RequestId};

/// Flag of a recorded trace (<https://www.w3.org/TR/trace-context/#sampled-flag>).
const SAMPLED: u8 = 1;
/// Flags that are passed on: [`SAMPLED`], and the flag of a random trace id
/// (<https://www.w3.org/TR/trace-context-2/#random-trace-id-flag>).
const PASSED_ON: u8 = SAMPLED | 2;
/// Length of version 00, in characters. A later version may continue after another hyphen.
const LEN: usize = 55;

/// A W3C trace context (<https://www.w3.org/TR/trace-context/#traceparent-header>): the id of a
/// trace, and the id of the span in it that caused the message or call. Written as version 00; of a
/// later version, the parts that version 00 has too are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: NonZeroU128,
    span_id: NonZeroU64,
    flags: u8,
}

impl TraceParent {
    /// The context of an order that came without one and is not recorded: the order's id is the
    /// trace id.
    pub fn of_order(id: OrderId) -> TraceParent {
        let (_, low) = id.0.as_u64_pair();
        TraceParent {
            trace_id: NonZeroU128::new(id.0.as_u128()).unwrap_or(NonZeroU128::MIN),
            span_id: NonZeroU64::new(low).unwrap_or(NonZeroU64::MIN),
            flags: 0,
        }
    }

    /// The context of a span in a recorded trace.
    pub fn recorded(trace_id: NonZeroU128, span_id: NonZeroU64) -> TraceParent {
        TraceParent { trace_id, span_id, flags: SAMPLED }
    }

    /// The context of another span of the same trace, with the same flags.
    #[must_use]
    pub fn with_span(self, span_id: NonZeroU64) -> TraceParent {
        TraceParent { span_id, ..self }
    }

    /// Id of the trace.
    pub fn trace_id(self) -> NonZeroU128 {
        self.trace_id
    }

    /// Id of the span.
    pub fn span_id(self) -> NonZeroU64 {
        self.span_id
    }

    /// Returns `true` if the trace is recorded.
    pub fn is_sampled(self) -> bool {
        self.flags & SAMPLED == SAMPLED
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

impl FromStr for TraceParent {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parse = || {
            let (common, later) = text.split_at_checked(LEN)?;
            let mut parts = common.split('-');
            let version = hex(parts.next()?, 2).filter(|version| *version != "ff")?;
            let trace_id = u128::from_str_radix(hex(parts.next()?, 32)?, 16).ok()?;
            let span_id = u64::from_str_radix(hex(parts.next()?, 16)?, 16).ok()?;
            let flags = u8::from_str_radix(hex(parts.next()?, 2)?, 16).ok()?;
            let ends = later.is_empty() || (version != "00" && later.starts_with('-'));
            ends.then_some(TraceParent {
                trace_id: NonZeroU128::new(trace_id)?,
                span_id: NonZeroU64::new(span_id)?,
                flags: flags & PASSED_ON,
            })
        };
        parse().ok_or(Invalid("must be a W3C traceparent"))
    }
}

/// Identifies an order in log lines and spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About<'a> {
    /// The order.
    pub order_id: OrderId,
    /// The HTTP request that placed the order, if known.
    pub request_id: Option<&'a RequestId>,
    /// The trace of the order; `None` for the order's own trace, see [`TraceParent::of_order`].
    pub traceparent: Option<TraceParent>,
}

impl About<'_> {
    /// Id of the trace of the order.
    pub fn trace_id(&self) -> NonZeroU128 {
        self.traceparent.unwrap_or_else(|| TraceParent::of_order(self.order_id)).trace_id()
    }
}

fn hex(part: &str, len: usize) -> Option<&str> {
    let lower = part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (lower && part.len() == len).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_without_a_trace_gets_a_valid_one_that_names_the_order() {
        let id = OrderId::new();
        let context = TraceParent::of_order(id);
        assert_eq!(context.to_string().parse::<TraceParent>().unwrap(), context);
        assert!(context.to_string().contains(&id.0.simple().to_string()));
        assert!(!context.is_sampled());
    }

    #[test]
    fn a_context_is_written_as_it_was_read() {
        for text in [
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000001-0000000000000001-00",
            "00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-03",
        ] {
            let context: TraceParent = text.parse().unwrap();
            assert_eq!(context.to_string(), text);
            assert_eq!(context.is_sampled(), !text.ends_with("00"));
        }
    }

    #[test]
    fn what_a_later_version_adds_is_left_out() {
        let wanted = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        for text in [
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fd",
        ] {
            assert_eq!(text.parse::<TraceParent>().unwrap().to_string(), wanted);
        }
    }

    #[test]
    fn a_context_that_is_not_one_is_refused() {
        for wrong in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what-the-future-brings",
            "CC-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0\u{e9}",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        ] {
            assert!(wrong.parse::<TraceParent>().is_err(), "{wrong:?} was accepted");
        }
    }
}
