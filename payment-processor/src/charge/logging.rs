//! Log lines and spans of charging.

use db::payments::StartOutcome;
use domain::{About, GatewayCall, Verdict};
use messages::PaymentRequest;
use telemetry::trace::{self, SpanKind, SpanRecord};

use super::attempt::{ChargeAttempt, ChargeState};
use crate::gateway::GatewayError;

/// A verdict in one word.
pub(crate) fn outcome(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Captured => "captured",
        Verdict::Declined(_) => "declined",
    }
}

/// An order in a line of the order log, and its outcome.
type Logged<'a> = (&'static str, About<'a>);

/// A payment that was started for the first time.
pub(super) fn started<'a>(
    request: &'a PaymentRequest,
    outcome: &Result<StartOutcome, db::Error>,
) -> Option<Logged<'a>> {
    matches!(outcome, Ok(StartOutcome::First(_))).then(|| ("begun", request.about()))
}

/// A payment that was started before.
pub(super) fn resumed<'a>(
    request: &'a PaymentRequest,
    outcome: &Result<StartOutcome, db::Error>,
) -> Option<Logged<'a>> {
    matches!(outcome, Ok(StartOutcome::Again(_))).then(|| ("begun again", request.about()))
}

/// A payment whose verdict is recorded.
pub(super) fn finished(attempt: &ChargeAttempt) -> Option<Logged<'_>> {
    match &attempt.state {
        ChargeState::Finished { verdict, .. } => Some((outcome(verdict), attempt.request.about())),
        ChargeState::Answered { .. } | ChargeState::Unfinished(_) | ChargeState::Superseded => None,
    }
}

/// The span of a gateway call.
pub(super) fn span_of_call(
    call: GatewayCall,
    request: &PaymentRequest,
    error: Option<&GatewayError>,
) -> SpanRecord {
    let record = SpanRecord::new(SpanKind::Client, "gateway").to(call.as_str());
    let record = record.with(trace::ORDER_ID, request.order_id);
    match error {
        Some(error) => record.with(trace::ERROR_TYPE, error.detail).failed(error.detail),
        None => record,
    }
}
