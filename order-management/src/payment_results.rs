//! The payment results' consumer: decides what becomes of a message.

use common::broker::{Departure, Destination, Handler, Outcome, Own, Received};
use common::domain::{About, RequestId, TraceParent};
use common::message::{Envelope, PaymentResult, decode_results};
use common::road::TraceId;
use common::runtime::ROAD;
use common::trace::{MessageSpans, OrderSpans};
use db::Error;
use db::orders::Settled;

use crate::orders::{Settlements, outcome};

/// Handles payment results.
#[derive(Debug)]
pub(crate) struct PaymentResults {
    pub(crate) settlements: Settlements,
    pub(crate) spans: MessageSpans,
}

impl Handler for PaymentResults {
    /// Settles every order of the message, all at once. What cannot be read, or names an order
    /// that does not exist, leaves for the dead letters.
    async fn handle(&self, message: &Received) -> Outcome {
        let parts = decode_results(&message.body);
        let packed = parts.len() > 1;
        let (mut bodies, mut results, mut departures) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match part.read {
                Ok(result) => {
                    bodies.push(part.bytes);
                    results.push(if packed { result } else { alone(result, &message.envelope) });
                }
                Err(detail) => {
                    let to = Destination::Dead { reason: "unreadable", detail };
                    departures.push(Departure { body: part.bytes.to_vec(), own: None, to });
                }
            }
        }
        let settled = self.settle(&results).await;
        for ((result, body), settled) in results.iter().zip(bodies).zip(settled) {
            if let Some(to) = destination(&result.about(), settled) {
                let own = packed.then(|| own(&result.about()));
                departures.push(Departure { body: body.to_vec(), own, to });
            }
        }
        if departures.is_empty() { Outcome::Done } else { Outcome::Leave(departures) }
    }
}

impl PaymentResults {
    async fn settle(&self, results: &[PaymentResult]) -> Vec<Result<Settled, Error>> {
        let mut spans =
            OrderSpans::begin(results.iter().map(PaymentResult::about), || self.spans.processing());
        let settled = self.settlements.settle(results).await;
        let recorded = if spans.is_empty() { &[] } else { results };
        for (result, settled) in recorded.iter().zip(&settled) {
            let told = || self.spans.processed(&result.about(), outcome(result, settled));
            spans.end(result.order_id, told);
        }
        spans.end_together(|| self.spans.processed_batch(results.len()));
        settled
    }
}

/// A result that is the whole message has its ids in the message's properties.
fn alone(result: PaymentResult, envelope: &Envelope) -> PaymentResult {
    let of_message = || envelope.correlation_id.as_ref().and_then(|id| id.parse().ok());
    PaymentResult {
        request_id: result.request_id.or_else(of_message),
        traceparent: result.traceparent.or(envelope.traceparent),
        ..result
    }
}

/// What a result takes along when it leaves its pack.
fn own(about: &About<'_>) -> Own {
    Own {
        message_id: about.order_id.to_string(),
        correlation_id: about.request_id.map(ToString::to_string),
        traceparent: about.traceparent.or(Some(TraceParent::of_order(about.order_id))),
    }
}

/// Where a result goes that has not settled its order.
fn destination(about: &About<'_>, settled: Result<Settled, Error>) -> Option<Destination> {
    let order_id = about.order_id;
    match settled {
        Ok(Settled::Moved { .. } | Settled::Repeated | Settled::Contradicting) => None,
        Ok(Settled::UnknownOrder) => {
            let detail = format!("there is no order {order_id}");
            Some(Destination::Dead { reason: "unknown_order", detail })
        }
        Err(error) => {
            let (request_id, trace_id) = (about.request_id.map(RequestId::as_str), TraceId(about));
            log::error!(target: ROAD, order_id:%, request_id, trace_id:%;
                "the order could not be settled and will be tried again: {error}");
            Some(Destination::Retry)
        }
    }
}
