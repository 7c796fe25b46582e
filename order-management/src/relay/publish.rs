//! The station that publishes: packs, confirms, and what they mean for the outbox.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::time::Instant;

use common::broker::{NotConfirmed, Outgoing, Publisher};
use common::domain::{OrderId, RequestId, TraceParent};
use common::message::{Envelope, PaymentRequest, encode_requests};
use common::road::{self, TraceId};
use common::runtime::crash_point::reach;
use common::runtime::{CrashPoint, Station};
use common::trace::{MessageSpans, OrderSpans};
use db::outbox::{Batch, BatchId};
use db::{Db, outbox};

use super::Lease;

/// One order of an outbox row.
#[derive(Debug)]
pub(super) struct Due {
    request: PaymentRequest,
    batch: BatchId,
    lease: Lease,
}

impl Due {
    fn order_id(&self) -> OrderId {
        self.request.order_id
    }
}

/// The orders of a row enter the station as one group, so they also leave it in one batch.
pub(super) fn due(batch: Batch, lease: Lease) -> Vec<Due> {
    let id = batch.id;
    batch.entries.into_iter().map(|request| Due { request, batch: id, lease }).collect()
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relayed {
    /// The broker has it.
    Gone,
    /// The outbox still has it, for the sweep.
    Left,
}

#[derive(Debug)]
pub(super) struct Publish {
    pub(super) db: Db,
    pub(super) publisher: Publisher,
    pub(super) exchange: String,
    pub(super) routing_key: String,
    pub(super) reply_to: String,
    /// The most orders in one message.
    pub(super) per_message: usize,
    pub(super) spans: MessageSpans,
}

impl Station for Publish {
    const NAME: &'static str = "relay";
    type Item = Due;
    type Done = Relayed;
    type Fault = Infallible;

    async fn run(&self, batch: &[Due]) -> Result<Vec<Relayed>, Infallible> {
        reach(CrashPoint::RelayBegun);
        // Past its lease a row may be in somebody else's hands already.
        let now = Instant::now();
        let ours: Vec<&Due> = batch.iter().filter(|due| due.lease.until > now).collect();
        let packs: Vec<&[&Due]> = ours.chunks(self.per_message).collect();
        let spans = OrderSpans::begin(ours.iter().map(|due| due.request.about()), || {
            self.spans.publishing()
        });
        let messages = packs.iter().map(|pack| self.message(pack, &spans)).collect();
        // Left, unless the broker says otherwise.
        let mut left: HashSet<OrderId> = ours.iter().map(|due| due.order_id()).collect();
        for (pack, outcome) in packs.iter().zip(self.publisher.publish_all(messages).await) {
            match outcome {
                Ok(()) => pack.iter().for_each(|due| {
                    left.remove(&due.order_id());
                }),
                Err(why) => note(why, pack),
            }
        }
        self.end(spans, &packs, &left);
        let gone = ours.iter().filter(|due| !left.contains(&due.order_id()));
        road::tell("payment requested", gone.map(|due| ("confirmed", due.request.about())));
        if left.len() < ours.len() {
            reach(CrashPoint::RelayConfirmed);
        }
        self.book(&ours, &left).await;
        let relayed = |due: &Due| match due.lease.until > now {
            true if !left.contains(&due.order_id()) => Relayed::Gone,
            true | false => Relayed::Left,
        };
        Ok(batch.iter().map(relayed).collect())
    }

    fn may_blame_an_item(fault: &Infallible) -> bool {
        match *fault {}
    }
}

impl Publish {
    /// Removes rows that the broker has whole, frees what it has not. Where the database does not
    /// do it, the sweep publishes once more what the workers will recognise.
    async fn book(&self, ours: &[&Due], left: &HashSet<OrderId>) {
        let mut rows: HashMap<BatchId, Vec<OrderId>> = HashMap::new();
        for due in ours {
            let id = due.request.order_id;
            rows.entry(due.batch).or_default().extend(left.get(&id));
        }
        let (gone, kept): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.1.is_empty());
        let gone: Vec<BatchId> = gone.into_iter().map(|(row, _)| row).collect();
        if !gone.is_empty() {
            match outbox::remove(&self.db, &gone).await {
                Ok(()) => reach(CrashPoint::RelayRemoved),
                Err(error) => {
                    log::warn!(rows = gone.len(); "relayed, but still in the outbox: {error}");
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

    fn message(&self, pack: &[&Due], spans: &OrderSpans) -> Outgoing {
        let traced = |due: &&Due| PaymentRequest {
            traceparent: spans.context(&due.request.about()),
            ..due.request.clone()
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
        Outgoing::new(&self.exchange, &self.routing_key, encode_requests(&requests), &envelope)
    }

    fn end(&self, mut spans: OrderSpans, packs: &[&[&Due]], left: &HashSet<OrderId>) {
        let recorded = if spans.is_empty() { &[] } else { packs };
        for pack in recorded {
            // A message has the id of its first order.
            let Some(id) = pack.first().map(|due| due.order_id()) else { continue };
            for due in *pack {
                let about = due.request.about();
                let error = left.contains(&about.order_id).then_some("not_confirmed");
                spans.end(about.order_id, || self.spans.published(&about, id, error));
            }
        }
        let orders = packs.iter().map(|pack| pack.len()).sum();
        spans.end_together(|| self.spans.published_batch(packs.len(), orders));
    }
}

fn note(why: NotConfirmed, pack: &[&Due]) {
    for due in pack {
        let about = due.request.about();
        let (order_id, trace_id) = (about.order_id, TraceId(&about));
        let request_id = about.request_id.map(RequestId::as_str);
        log::debug!(order_id:%, request_id, trace_id:%; "not relayed yet: {why}");
    }
}
