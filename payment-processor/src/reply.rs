//! **reply**: from a recorded verdict to a confirmed message on the results' queue.

use std::convert::Infallible;

use common::broker::{BrokerSettings, NotConfirmed, Outgoing, Publisher};
use common::domain::RequestId;
use common::message::{Envelope, PaymentResult, TraceParent, encode_results};
use common::runtime::crash_point::reach;
use common::runtime::{Backoff, CrashPoint, Gather, GatherLimits, Metrics, Station, Tasks};

const LIMITS: GatherLimits = GatherLimits { waiting_max: 8192, batch_max: 500, in_flight_max: 2 };

/// A result on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The result.
    pub(crate) result: PaymentResult,
    /// The trace of the request.
    pub(crate) traceparent: Option<TraceParent>,
}

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
        };
        let gather = Gather::open(station, LIMITS, tasks, metrics);
        Replies { gather, publisher: publisher.clone() }
    }

    /// Comes back once the broker has confirmed all of these replies, however long that takes.
    pub(crate) async fn reply(&self, mut replies: Vec<Reply>) {
        let mut backoff = Backoff::for_server();
        loop {
            let outcomes = self.gather.submit_all(replies.clone()).await;
            let mut outcomes = outcomes.into_iter().map(|o| o == Ok(Ok(())));
            replies.retain(|_| !outcomes.next().unwrap_or(false));
            let Some(first) = replies.first() else { return };
            let (order, count) = (first.result.order_id, replies.len());
            log::debug!(order:%, count; "replies will be sent again");
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
}

impl Station for Send {
    const NAME: &'static str = "reply";
    type Item = Reply;
    type Done = Result<(), NotConfirmed>;
    type Fault = Infallible;

    async fn run(&self, batch: &[Reply]) -> Result<Vec<Self::Done>, Infallible> {
        reach(CrashPoint::ReplyBegun);
        let packs: Vec<&[Reply]> = batch.chunks(self.per_message).collect();
        let messages = packs.iter().map(|pack| self.message(pack)).collect();
        let outcomes = self.publisher.publish_all(messages).await;
        if outcomes.iter().any(Result::is_ok) {
            reach(CrashPoint::ReplyConfirmed);
        }
        let each =
            packs.iter().zip(outcomes).flat_map(|(pack, o)| std::iter::repeat_n(o, pack.len()));
        Ok(each.collect())
    }

    fn may_blame_an_item(fault: &Infallible) -> bool {
        match *fault {}
    }
}

impl Send {
    fn message(&self, pack: &[Reply]) -> Outgoing {
        let first = pack.first();
        let request_id = first.and_then(|r| r.result.request_id.as_ref()).map(RequestId::to_string);
        let envelope = Envelope {
            message_id: first.and_then(|r| r.result.payment_id.clone()).unwrap_or_default(),
            correlation_id: request_id,
            kind: Some("payment_result"),
            app_id: Some("payment-processor"),
            traceparent: first.and_then(|r| r.traceparent.clone()),
            ..Envelope::default()
        };
        let results: Vec<PaymentResult> = pack.iter().map(|r| r.result.clone()).collect();
        Outgoing::new(&self.exchange, &self.routing_key, encode_results(&results), &envelope)
    }
}
