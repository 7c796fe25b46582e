//! What charging tells in log lines and spans.

use common::domain::{About, GatewayCall, Verdict};
use common::message::PaymentRequest;
use common::trace::{self, SpanKind};
use db::payments::Started;

use super::Charging;
use crate::gateway::NoAnswer;

/// A verdict in one word.
pub(crate) fn outcome(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Captured => "captured",
        Verdict::Declined(_) => "declined",
    }
}

/// One order's word in a line.
type Told<'a> = (&'static str, About<'a>);

/// Plain progress, which the line about its end tells as well.
pub(super) fn begun<'a>(
    (request, started): (&'a PaymentRequest, &Result<Started, db::Error>),
) -> Option<Told<'a>> {
    matches!(started, Ok(Started::First(_))).then(|| ("begun", request.about()))
}

/// Somebody was at it before.
pub(super) fn begun_again<'a>(
    (request, started): (&'a PaymentRequest, &Result<Started, db::Error>),
) -> Option<Told<'a>> {
    matches!(started, Ok(Started::Again(_))).then(|| ("begun again", request.about()))
}

pub(super) fn ended(charging: &Charging) -> Option<Told<'_>> {
    let charged = charging.result.as_ref().ok()?;
    Some((outcome(&charged.verdict), charging.request.about()))
}

/// What the span of a question to the gateway tells.
pub(super) fn asked(
    call: GatewayCall,
    request: &PaymentRequest,
    error: Option<&NoAnswer>,
) -> trace::Told {
    let told = trace::Told::new(SpanKind::Client, "gateway").to(call.as_str());
    let told = told.with(trace::ORDER_ID, request.order_id);
    match error {
        Some(error) => told.with(trace::ERROR_TYPE, error.0).failed(error.0),
        None => told,
    }
}
