use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

use super::{Invalid, OrderId, RequestId};

/// The flag that says that somebody records this trace
/// (<https://www.w3.org/TR/trace-context/#sampled-flag>).
const SAMPLED: u8 = 1;
/// The flags there are: that one, and that the trace id was drawn at random
/// (<https://www.w3.org/TR/trace-context-2/#random-trace-id-flag>). Others are not passed on.
const KNOWN: u8 = SAMPLED | 2;
/// How long version 00 is. A later one may go on after another hyphen.
const LEN: usize = 55;

/// A W3C trace context (<https://www.w3.org/TR/trace-context/#traceparent-header>): which trace
/// something belongs to, and which of its spans it was caused by. Written as version 00; of a later
/// version those parts are read that it has in common with that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: NonZeroU128,
    span_id: NonZeroU64,
    flags: u8,
}

impl TraceParent {
    /// The context of an order whose client brought none and that nobody records: the order's id
    /// is the trace id.
    pub fn of_order(id: OrderId) -> TraceParent {
        let (_, low) = id.0.as_u64_pair();
        TraceParent {
            trace_id: NonZeroU128::new(id.0.as_u128()).unwrap_or(NonZeroU128::MIN),
            span_id: NonZeroU64::new(low).unwrap_or(NonZeroU64::MIN),
            flags: 0,
        }
    }

    /// The first span of a trace that is recorded.
    pub fn recorded(trace_id: NonZeroU128, span_id: NonZeroU64) -> TraceParent {
        TraceParent { trace_id, span_id, flags: SAMPLED }
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn with_span(self, span_id: NonZeroU64) -> TraceParent {
        TraceParent { span_id, ..self }
    }

    /// The trace.
    pub fn trace_id(self) -> NonZeroU128 {
        self.trace_id
    }

    /// The span.
    pub fn span_id(self) -> NonZeroU64 {
        self.span_id
    }

    /// Whether somebody records this trace.
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
                flags: flags & KNOWN,
            })
        };
        parse().ok_or(Invalid("must be a W3C traceparent"))
    }
}

/// An order on its road: what every line and every span about it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About<'a> {
    /// Which order.
    pub order_id: OrderId,
    /// The request that placed it, as far as that is known.
    pub request_id: Option<&'a RequestId>,
    /// The trace it belongs to, unless that is the order's own.
    pub traceparent: Option<TraceParent>,
}

impl About<'_> {
    /// The trace it belongs to.
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
            assert!(wrong.parse::<TraceParent>().is_err(), "{wrong:?} was taken");
        }
    }
}
