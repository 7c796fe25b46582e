//! **reply**: from a recorded verdict to a confirmed message in the queue of results.

use std::convert::Infallible;
use std::sync::Arc;

use amqp::{BrokerSettings, NotConfirmed, Outgoing, Publisher, Route};
use batcher::{BatchHandler, BatchLimits, Batcher};
use domain::{RequestId, TraceParent};
use messages::{Envelope, PaymentResult, encode_results};
use service::crash_point::reach;
use service::{Backoff, Runtime};
use telemetry::order_log;
use telemetry::trace::{MessageSpans, OrderSpans};

use crate::crash_points;

const LIMITS: BatchLimits = BatchLimits { waiting_max: 8192, batch_max: 500, in_flight_max: 2 };

/// Publishes results.
#[derive(Clone, Debug)]
pub(crate) struct Replies {
    batcher: Batcher<ReplyBatch>,
    publisher: Publisher,
}

impl Replies {
    pub(crate) fn open(
        broker: &BrokerSettings,
        publisher: &Publisher,
        runtime: &Runtime,
    ) -> Replies {
        let reply = ReplyBatch {
            publisher: publisher.clone(),
            route: broker.send_route(),
            per_message: broker.orders_per_message,
            spans: MessageSpans::of(&broker.topology.exchange, &broker.send.name),
        };
        Replies { batcher: Batcher::open(reply, LIMITS, runtime), publisher: publisher.clone() }
    }

    /// Returns once the broker has confirmed all of these replies.
    pub(crate) async fn reply(&self, results: &[PaymentResult]) {
        let mut replies = results.to_vec();
        let mut backoff = Backoff::for_server();
        loop {
            let outcomes = self.batcher.submit_all(replies.clone()).await;
            let mut outcomes = outcomes.into_iter().map(|o| o == Ok(Ok(())));
            replies.retain(|_| !outcomes.next().unwrap_or(false));
            let Some(first) = replies.first() else { return };
            let (order_id, count) = (first.order_id, replies.len());
            log::debug!(order_id:%, count; "replies will be sent again");
            backoff.wait().await;
            self.publisher.up().await;
        }
    }
}

/// Publishes a batch of results, in packs.
#[derive(Debug)]
struct ReplyBatch {
    publisher: Publisher,
    route: Route,
    per_message: usize,
    spans: MessageSpans,
}

impl BatchHandler for ReplyBatch {
    const NAME: &'static str = "reply";
    type Item = PaymentResult;
    type Output = Result<(), NotConfirmed>;
    type Error = Infallible;

    async fn run(&self, batch: &[PaymentResult]) -> Result<Vec<Self::Output>, Infallible> {
        reach(crash_points::REPLY_BEGUN);
        let packs: Vec<&[PaymentResult]> = batch.chunks(self.per_message).collect();
        let spans =
            OrderSpans::begin(batch.iter().map(PaymentResult::about), || self.spans.publishing());
        let messages = packs.iter().map(|pack| self.message(pack, &spans)).collect();
        let outcomes = self.publisher.publish_all(messages).await;
        if outcomes.iter().any(Result::is_ok) {
            reach(crash_points::REPLY_CONFIRMED);
        }
        self.end(spans, &packs, &outcomes);
        let sent = packs.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        order_log::info(
            "result published",
            sent.flat_map(|(pack, _)| *pack).map(|r| ("confirmed", r.about())),
        );
        let each =
            packs.iter().zip(outcomes).flat_map(|(pack, o)| std::iter::repeat_n(o, pack.len()));
        Ok(each.collect())
    }

    fn may_blame_an_item(error: &Infallible) -> bool {
        match *error {}
    }
}

impl ReplyBatch {
    fn message(&self, pack: &[PaymentResult], spans: &OrderSpans) -> Outgoing {
        let traced = |result: &PaymentResult| PaymentResult {
            traceparent: spans.context(&result.about()),
            ..result.clone()
        };
        let results: Vec<PaymentResult> = pack.iter().map(traced).collect();
        let first = results.first();
        let own = first.map(|result| TraceParent::of_order(result.order_id));
        let envelope = Envelope {
            message_id: message_id(pack),
            correlation_id: first.and_then(|r| r.request_id.as_ref()).map(RequestId::to_string),
            kind: Some("payment_result"),
            app_id: Some("payment-processor"),
            traceparent: first.and_then(|result| result.traceparent).or(own),
            ..Envelope::default()
        };
        Outgoing::new(&self.route, encode_results(&results), &envelope, crash_points::REPLY_SENT)
    }

    fn end(
        &self,
        mut spans: OrderSpans,
        packs: &[&[PaymentResult]],
        outcomes: &[Result<(), NotConfirmed>],
    ) {
        let recorded = if spans.is_empty() { &[] } else { packs };
        for (pack, outcome) in recorded.iter().zip(outcomes) {
            let error = outcome.is_err().then_some("not_confirmed");
            let id: Arc<str> = message_id(pack).into();
            for result in *pack {
                let record = || self.spans.published(&result.about(), id.clone(), error);
                spans.end(result.order_id, record);
            }
        }
        let orders = packs.iter().map(|pack| pack.len()).sum();
        spans.end_together(|| self.spans.published_batch(packs.len(), orders));
    }
}

fn message_id(pack: &[PaymentResult]) -> String {
    pack.first().and_then(|result| result.payment_id.clone()).unwrap_or_default()
}
