//! **reply**: from a recorded verdict to a confirmed message on the results' queue.

use std::convert::Infallible;
use std::sync::Arc;

use common::broker::{BrokerSettings, NotConfirmed, Outgoing, Publisher};
use common::domain::{RequestId, TraceParent};
use common::message::{Envelope, PaymentResult, encode_results};
use common::road;
use common::runtime::crash_point::reach;
use common::runtime::{Backoff, CrashPoint, Gather, GatherLimits, Metrics, Station, Tasks};
use common::trace::{MessageSpans, OrderSpans};

const LIMITS: GatherLimits = GatherLimits { waiting_max: 8192, batch_max: 500, in_flight_max: 2 };

/// Sends results.
#[derive(Clone, Debug)]
pub(crate) struct Replies {
    gather: Gather<Send>,
    publisher: Publisher,
}

impl Replies {
    pub(crate) fn open(
        broker: &BrokerSettings,
        publisher: &Publisher,
        tasks: &Tasks,
        metrics: &Metrics,
    ) -> Replies {
        let station = Send {
            publisher: publisher.clone(),
            exchange: broker.topology.exchange.clone(),
            routing_key: broker.send.name.clone(),
            per_message: broker.orders_per_message,
            spans: MessageSpans::of(&broker.topology.exchange, &broker.send.name),
        };
        let gather = Gather::open(station, LIMITS, tasks, metrics);
        Replies { gather, publisher: publisher.clone() }
    }

    /// Comes back once the broker has confirmed all of these replies, however long that takes.
    pub(crate) async fn reply(&self, results: &[PaymentResult]) {
        let mut replies = results.to_vec();
        let mut backoff = Backoff::for_server();
        loop {
            let outcomes = self.gather.submit_all(replies.clone()).await;
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

#[derive(Debug)]
struct Send {
    publisher: Publisher,
    exchange: String,
    routing_key: String,
    per_message: usize,
    spans: MessageSpans,
}

impl Station for Send {
    const NAME: &'static str = "reply";
    type Item = PaymentResult;
    type Done = Result<(), NotConfirmed>;
    type Fault = Infallible;

    async fn run(&self, batch: &[PaymentResult]) -> Result<Vec<Self::Done>, Infallible> {
        reach(CrashPoint::ReplyBegun);
        let packs: Vec<&[PaymentResult]> = batch.chunks(self.per_message).collect();
        let spans =
            OrderSpans::begin(batch.iter().map(PaymentResult::about), || self.spans.publishing());
        let messages = packs.iter().map(|pack| self.message(pack, &spans)).collect();
        let outcomes = self.publisher.publish_all(messages).await;
        if outcomes.iter().any(Result::is_ok) {
            reach(CrashPoint::ReplyConfirmed);
        }
        self.end(spans, &packs, &outcomes);
        let sent = packs.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        road::tell("result published", sent.flat_map(|(pack, _)| *pack).map(|r| ("confirmed", r.about())));
        let each =
            packs.iter().zip(outcomes).flat_map(|(pack, o)| std::iter::repeat_n(o, pack.len()));
        Ok(each.collect())
    }

    fn may_blame_an_item(fault: &Infallible) -> bool {
        match *fault {}
    }
}

impl Send {
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
        Outgoing::new(&self.exchange, &self.routing_key, encode_results(&results), &envelope)
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
                let told = || self.spans.published(&result.about(), id.clone(), error);
                spans.end(result.order_id, told);
            }
        }
        let orders = packs.iter().map(|pack| pack.len()).sum();
        spans.end_together(|| self.spans.published_batch(packs.len(), orders));
    }
}

fn message_id(pack: &[PaymentResult]) -> String {
    pack.first().and_then(|result| result.payment_id.clone()).unwrap_or_default()
}
