//! The consumer of payment results.

use amqp::{Destination, Forwarded, PartProperties, ProcessParts, Processed};
use db::Error;
use db::orders::SettleOutcome;
use domain::{About, RequestId, TraceParent};
use messages::{Envelope, Part, PaymentResult, decode_results};
use telemetry::ORDER_TARGET;
use telemetry::order_log::TraceId;
use telemetry::trace::{MessageSpans, OrderSpans};

use crate::orders::{Settlements, outcome};

/// Settles the orders of a message. A result for an order that does not exist is dead-lettered.
#[derive(Debug)]
pub(crate) struct PaymentResults {
    pub(crate) settlements: Settlements,
    pub(crate) spans: MessageSpans,
}

impl ProcessParts for PaymentResults {
    type Item = PaymentResult;

    fn decode(body: &[u8]) -> Vec<Part<'_, PaymentResult>> {
        decode_results(body)
    }

    fn with_envelope(result: PaymentResult, envelope: &Envelope) -> PaymentResult {
        let of_message = || envelope.correlation_id.as_ref().and_then(|id| id.parse().ok());
        PaymentResult {
            request_id: result.request_id.or_else(of_message),
            traceparent: result.traceparent.or(envelope.traceparent),
            ..result
        }
    }

    /// Settles every order of the message in one commit.
    async fn process(&self, results: Vec<PaymentResult>, _: &Envelope) -> Processed {
        let settled = self.settle(&results).await;
        let each = results.iter().zip(settled).map(|(result, settled)| {
            let about = result.about();
            let to = destination(&about, settled)?;
            Some(Forwarded { to, own: properties(&about) })
        });
        Processed::Each(each.collect())
    }
}

impl PaymentResults {
    async fn settle(&self, results: &[PaymentResult]) -> Vec<Result<SettleOutcome, Error>> {
        let mut spans =
            OrderSpans::begin(results.iter().map(PaymentResult::about), || self.spans.processing());
        let settled = self.settlements.settle(results).await;
        let recorded = if spans.is_empty() { &[] } else { results };
        for (result, settled) in recorded.iter().zip(&settled) {
            let record = || self.spans.processed(&result.about(), outcome(result, settled));
            spans.end(result.order_id, record);
        }
        spans.end_together(|| self.spans.processed_batch(results.len()));
        settled
    }
}

/// Ids and trace of a result that leaves its pack.
fn properties(about: &About<'_>) -> PartProperties {
    PartProperties {
        message_id: about.order_id.to_string(),
        correlation_id: about.request_id.map(ToString::to_string),
        traceparent: about.traceparent.or(Some(TraceParent::of_order(about.order_id))),
    }
}

/// The destination of a result that has not settled its order.
fn destination(about: &About<'_>, settled: Result<SettleOutcome, Error>) -> Option<Destination> {
    let order_id = about.order_id;
    match settled {
        Ok(
            SettleOutcome::Moved { .. } | SettleOutcome::Repeated | SettleOutcome::Contradicting,
        ) => None,
        Ok(SettleOutcome::UnknownOrder) => {
            let detail = format!("there is no order {order_id}");
            Some(Destination::Dead { reason: "unknown_order", detail })
        }
        Err(error) => {
            let (request_id, trace_id) = (about.request_id.map(RequestId::as_str), TraceId(about));
            log::error!(target: ORDER_TARGET, order_id:%, request_id, trace_id:%;
                "the order could not be settled and will be tried again: {error}");
            Some(Destination::Retry)
        }
    }
}
