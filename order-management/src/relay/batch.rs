//! The batch handler that publishes: packs, confirms, and their effect on the outbox.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::time::Instant;

use amqp::{NotConfirmed, Outgoing, Publisher, Route};
use batcher::BatchHandler;
use db::outbox::{Batch, BatchId};
use db::{Db, outbox};
use domain::{OrderId, RequestId, TraceParent};
use messages::{Envelope, PaymentRequest, SigningKeys, encode_requests};
use service::crash_point::reach;
use telemetry::order_log::{self, TraceId};
use telemetry::trace::{MessageSpans, OrderSpans};

use super::lease::Lease;
use crate::crash_points;

/// One order of an outbox row, to be published.
#[derive(Debug)]
pub(super) struct PendingPublish {
    request: PaymentRequest,
    batch: BatchId,
    lease: Lease,
}

impl PendingPublish {
    fn order_id(&self) -> OrderId {
        self.request.order_id
    }
}

/// The orders of a row, which form one submission and so one batch.
pub(super) fn pending(batch: Batch, lease: Lease) -> Vec<PendingPublish> {
    let id = batch.id;
    batch.entries.into_iter().map(|request| PendingPublish { request, batch: id, lease }).collect()
}

/// The result of relaying an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RelayOutcome {
    /// The broker confirmed the request.
    Published,
    /// The outbox keeps the order, for the sweep.
    Kept,
}

#[derive(Debug)]
pub(super) struct RelayBatch {
    pub(super) db: Db,
    pub(super) publisher: Publisher,
    pub(super) route: Route,
    pub(super) reply_to: String,
    /// Largest number of orders in one message.
    pub(super) per_message: usize,
    /// The keys that sign requests, if they are signed.
    pub(super) signing: Option<SigningKeys>,
    pub(super) spans: MessageSpans,
}

impl BatchHandler for RelayBatch {
    const NAME: &'static str = "relay";
    type Item = PendingPublish;
    type Output = RelayOutcome;
    type Error = Infallible;

    async fn run(&self, batch: &[PendingPublish]) -> Result<Vec<RelayOutcome>, Infallible> {
        reach(crash_points::RELAY_BEGUN);
        // Past its lease a row may belong to another process.
        let now = Instant::now();
        let ours: Vec<&PendingPublish> =
            batch.iter().filter(|pending| pending.lease.holds_at(now)).collect();
        let packs: Vec<&[&PendingPublish]> = ours.chunks(self.per_message).collect();
        let spans = OrderSpans::begin(ours.iter().map(|pending| pending.request.about()), || {
            self.spans.publishing()
        });
        let messages = packs.iter().map(|pack| self.message(pack, &spans)).collect();
        // Kept, unless the broker confirms.
        let mut kept: HashSet<OrderId> = ours.iter().map(|pending| pending.order_id()).collect();
        for (pack, outcome) in packs.iter().zip(self.publisher.publish_all(messages).await) {
            match outcome {
                Ok(()) => pack.iter().for_each(|pending| {
                    kept.remove(&pending.order_id());
                }),
                Err(why) => note(why, pack),
            }
        }
        self.end(spans, &packs, &kept);
        let published = ours.iter().filter(|pending| !kept.contains(&pending.order_id()));
        order_log::info(
            "payment requested",
            published.map(|pending| ("confirmed", pending.request.about())),
        );
        if kept.len() < ours.len() {
            reach(crash_points::RELAY_CONFIRMED);
        }
        self.update_outbox(&ours, &kept).await;
        let relayed = |pending: &PendingPublish| match pending.lease.holds_at(now) {
            true if !kept.contains(&pending.order_id()) => RelayOutcome::Published,
            true | false => RelayOutcome::Kept,
        };
        Ok(batch.iter().map(relayed).collect())
    }

    fn may_blame_an_item(error: &Infallible) -> bool {
        match *error {}
    }
}

impl RelayBatch {
    /// Removes rows that the broker has whole, frees what it has not. Where the database does not
    /// do it, the sweep publishes once more what the workers will recognise.
    async fn update_outbox(&self, ours: &[&PendingPublish], kept: &HashSet<OrderId>) {
        let mut rows: HashMap<BatchId, Vec<OrderId>> = HashMap::new();
        for pending in ours {
            let id = pending.request.order_id;
            rows.entry(pending.batch).or_default().extend(kept.get(&id));
        }
        let (published, kept): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.1.is_empty());
        let published: Vec<BatchId> = published.into_iter().map(|(row, _)| row).collect();
        if !published.is_empty() {
            match outbox::remove(&self.db, &published).await {
                Ok(()) => reach(crash_points::RELAY_REMOVED),
                Err(error) => {
                    log::warn!(rows = published.len(); "relayed, but still in the outbox: {error}");
                }
            }
        }
        let (kept, orders): (Vec<BatchId>, Vec<Vec<OrderId>>) = kept.into_iter().unzip();
        let orders = orders.concat();
        if !kept.is_empty()
            && let Err(error) = outbox::retain(&self.db, &kept, &orders).await
        {
            log::warn!(orders = orders.len(); "not relayed, and free only after the lease: {error}");
        }
    }

    fn message(&self, pack: &[&PendingPublish], spans: &OrderSpans) -> Outgoing {
        let traced = |pending: &&PendingPublish| PaymentRequest {
            traceparent: spans.context(&pending.request.about()),
            ..pending.request.clone()
        };
        let requests: Vec<PaymentRequest> = pack.iter().map(traced).collect();
        let first = requests.first();
        let order = first.map(|request| request.order_id);
        let request_id = first.and_then(|request| request.request_id.as_ref());
        let trace = first.and_then(|request| request.traceparent);
        let envelope = Envelope {
            message_id: order.map(|id| id.to_string()).unwrap_or_default(),
            correlation_id: request_id.map(RequestId::to_string),
            reply_to: Some(self.reply_to.clone()),
            kind: Some("payment_request"),
            app_id: Some("order-management"),
            traceparent: trace.or(order.map(TraceParent::of_order)),
            attempts: 0,
        };
        let body = encode_requests(&requests, self.signing.as_ref());
        Outgoing::new(&self.route, body, &envelope, crash_points::RELAY_SENT)
    }

    fn end(&self, mut spans: OrderSpans, packs: &[&[&PendingPublish]], kept: &HashSet<OrderId>) {
        let recorded = if spans.is_empty() { &[] } else { packs };
        for pack in recorded {
            // A message has the id of its first order.
            let Some(id) = pack.first().map(|pending| pending.order_id()) else { continue };
            for pending in *pack {
                let about = pending.request.about();
                let error = kept.contains(&about.order_id).then_some("not_confirmed");
                spans.end(about.order_id, || self.spans.published(&about, id, error));
            }
        }
        let orders = packs.iter().map(|pack| pack.len()).sum();
        spans.end_together(|| self.spans.published_batch(packs.len(), orders));
    }
}

fn note(why: NotConfirmed, pack: &[&PendingPublish]) {
    for pending in pack {
        let about = pending.request.about();
        let (order_id, trace_id) = (about.order_id, TraceId(&about));
        let request_id = about.request_id.map(RequestId::as_str);
        log::debug!(order_id:%, request_id, trace_id:%; "not relayed yet: {why}");
    }
}
