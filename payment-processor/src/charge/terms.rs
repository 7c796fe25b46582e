//! The terms of a payment: those that were recorded first stay.

use db::payments::Payment;
use domain::{RequestId, Verdict};
use messages::PaymentRequest;
use telemetry::order_log::TraceId;

use crate::gateway::Charge;

/// The verdict that was recorded first stays; another one is logged.
pub(super) fn report_contradiction(request: &PaymentRequest, said: &Verdict, recorded: &Verdict) {
    if said != recorded {
        let about = request.about();
        let (order_id, trace_id) = (about.order_id, TraceId(&about));
        let request_id = about.request_id.map(RequestId::as_str);
        log::error!(order_id:%, request_id, trace_id:%; "the gateway said {said:?} after {recorded:?}");
    }
}

/// The charge of a payment, by the terms that were recorded first: a second request for the same
/// order changes none of them.
pub(super) fn charge_of(request: &PaymentRequest, payment: &Payment) -> Charge {
    let asked = (request.total, request.currency, &request.payment_method);
    if asked != (payment.amount, payment.currency, &payment.payment_method) {
        let about = request.about();
        let (order_id, trace_id) = (about.order_id, TraceId(&about));
        let request_id = about.request_id.map(RequestId::as_str);
        log::error!(order_id:%, request_id, trace_id:%; "requested again with other terms: ignored");
    }
    Charge {
        key: request.order_id.to_string(),
        order_id: request.order_id,
        amount: payment.amount,
        currency: payment.currency,
        payment_method: payment.payment_method.clone(),
    }
}
