//! **relay**: from the outbox to a confirmed message on the requests' queue.
//!
//! The fast path: whoever committed an order hands it over here and it is published at once. The
//! safe path: a sweep claims what a dead or cut-off process left behind. Both end in the same
//! station, and an outbox row goes only after the broker's confirm (P4).

use std::convert::Infallible;
use std::time::{Duration, Instant};

use common::broker::{BrokerSettings, NotConfirmed, Outgoing, Publisher, Status};
use common::domain::{OrderId, RequestId};
use common::message::{Envelope, PaymentRequest, TraceParent, encode_requests};
use common::runtime::{Gather, GatherLimits, Metrics, NotGathered, Station, Tasks};
use db::outbox::Entry;
use db::{Db, outbox};
use futures_util::future::join_all;

use crate::config::OutboxSettings;

const LIMITS: GatherLimits = GatherLimits { waiting_max: 8192, batch_max: 500, in_flight_max: 2 };
/// How many entries one sweep claims.
const CLAIM_MAX: i64 = 1000;

/// How long an entry is ours to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    until: Instant,
    length: Duration,
}

impl Lease {
    /// What the outbox row is to be leased for.
    pub(crate) fn length(self) -> Duration {
        self.length
    }
}

/// The way to the broker for orders that are committed.
#[derive(Clone, Debug)]
pub(crate) struct Relay {
    gather: Gather<Publish>,
    publisher: Publisher,
    settings: OutboxSettings,
}

impl Relay {
    pub(crate) fn open(
        (broker, settings): (&BrokerSettings, OutboxSettings),
        db: &Db,
        publisher: &Publisher,
        (tasks, metrics): (&Tasks, &Metrics),
    ) -> Relay {
        let station = Publish {
            db: db.clone(),
            publisher: publisher.clone(),
            exchange: broker.topology.exchange.clone(),
            routing_key: broker.send.name.clone(),
            reply_to: broker.receive.name.clone(),
            per_message: broker.orders_per_message,
        };
        let gather = Gather::open(station, LIMITS, tasks, metrics);
        let relay = Relay { gather, publisher: publisher.clone(), settings };
        let sweep = sweep(relay.clone(), db.clone(), tasks.clone(), metrics.clone());
        tasks.spawn("sweep", sweep);
        relay
    }

    /// A lease that begins now. While the broker is away it is empty: the sweep will find the
    /// order as soon as the broker is back.
    pub(crate) fn lease(&self) -> Lease {
        let up = self.publisher.status() == Status::Up;
        let length = if up { self.settings.lease } else { Duration::ZERO };
        Lease { until: Instant::now() + length, length }
    }

    /// The fast path. Where there is no room, the sweep finds the entry after its lease.
    pub(crate) fn leave(&self, entry: Entry, lease: Lease) {
        if !lease.length.is_zero() && !self.gather.leave((entry, lease)) {
            log::debug!("the relay is full: an order is left to the sweep");
        }
    }

    /// Comes back when nothing that was left here is under way any more.
    pub(crate) async fn quiet(&self) {
        self.gather.quiet().await;
    }
}

/// The safe path, for as long as the process runs.
async fn sweep(relay: Relay, db: Db, tasks: Tasks, metrics: Metrics) {
    let stopping = tasks.stopping();
    loop {
        let pause = tokio::time::sleep(relay.settings.sweep);
        tokio::select! {
            () = pause => {}
            () = stopping.cancelled() => return,
        }
        relay.publisher.up().await;
        while !stopping.is_cancelled() {
            match sweep_once(&relay, &db, &metrics).await {
                Ok(Swept::More) => {}
                Ok(Swept::All) => break,
                Err(error) => {
                    log::warn!("the outbox cannot be swept: {error}");
                    break;
                }
            }
        }
    }
}

/// Whether another search right now makes sense.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Swept {
    More,
    All,
}

async fn sweep_once(relay: &Relay, db: &Db, metrics: &Metrics) -> Result<Swept, db::Error> {
    let length = relay.settings.lease;
    let lease = Lease { until: Instant::now() + length, length };
    let entries = outbox::claim(db, CLAIM_MAX, length).await?;
    let (found, full) = (entries.len(), i64::try_from(entries.len()) == Ok(CLAIM_MAX));
    if found == 0 {
        return Ok(Swept::All);
    }
    metrics.swept.inc_by(u64::try_from(found).unwrap_or(u64::MAX));
    log::info!(orders = found; "relaying orders that were left behind");
    let relayed = entries.into_iter().map(|entry| relay.gather.submit((entry, lease)));
    let relayed = join_all(relayed).await;
    let all_gone = relayed.iter().all(|r| *r == Ok::<_, NotGathered<Infallible>>(Relayed::Gone));
    Ok(if full && all_gone { Swept::More } else { Swept::All })
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relayed {
    /// The broker has it.
    Gone,
    /// Its row is still there, for the sweep.
    Left,
}

#[derive(Debug)]
struct Publish {
    db: Db,
    publisher: Publisher,
    exchange: String,
    routing_key: String,
    reply_to: String,
    per_message: usize,
}

impl Station for Publish {
    const NAME: &'static str = "relay";
    type Item = (Entry, Lease);
    type Done = Relayed;
    type Fault = Infallible;

    async fn run(&self, batch: &[(Entry, Lease)]) -> Result<Vec<Relayed>, Infallible> {
        // Past its lease an entry may be in somebody else's hands already.
        let now = Instant::now();
        let ours: Vec<&Entry> =
            batch.iter().filter(|(_, lease)| lease.until > now).map(|(entry, _)| entry).collect();
        let packs: Vec<&[&Entry]> = ours.chunks(self.per_message).collect();
        let sent = packs.iter().map(|pack| self.publisher.publish(self.message(pack)));
        let outcomes = join_all(sent).await;
        let (mut gone, mut left) = (Vec::new(), Vec::new());
        for (pack, outcome) in packs.iter().zip(outcomes) {
            let ids = pack.iter().map(|entry| entry.request.order_id);
            match outcome {
                Ok(()) => gone.extend(ids),
                Err(why) => {
                    note(why, pack);
                    left.extend(ids);
                }
            }
        }
        self.book(&gone, &left).await;
        let gone: std::collections::HashSet<OrderId> = gone.into_iter().collect();
        let relayed = |(entry, _): &(Entry, Lease)| match gone.contains(&entry.request.order_id) {
            true => Relayed::Gone,
            false => Relayed::Left,
        };
        Ok(batch.iter().map(relayed).collect())
    }

    fn may_blame_an_item(fault: &Infallible) -> bool {
        match *fault {}
    }
}

impl Publish {
    /// Removes what the broker has, frees what it has not. Where the database does not do it, the
    /// sweep publishes once more what the workers will recognise.
    async fn book(&self, gone: &[OrderId], left: &[OrderId]) {
        if !gone.is_empty()
            && let Err(error) = outbox::remove(&self.db, gone).await
        {
            log::warn!(orders = gone.len(); "relayed, but still in the outbox: {error}");
        }
        if !left.is_empty()
            && let Err(error) = outbox::release(&self.db, left).await
        {
            log::warn!(orders = left.len(); "not relayed, and free only after the lease: {error}");
        }
    }

    fn message(&self, pack: &[&Entry]) -> Outgoing {
        let first = pack.first();
        let order = first.map(|entry| entry.request.order_id);
        let trace = first.and_then(|entry| entry.traceparent.clone());
        let request_id = first.and_then(|entry| entry.request.request_id.as_ref());
        let envelope = Envelope {
            message_id: order.map(|id| id.to_string()).unwrap_or_default(),
            correlation_id: request_id.map(RequestId::to_string),
            reply_to: Some(self.reply_to.clone()),
            kind: Some("payment_request"),
            app_id: Some("order-management"),
            traceparent: trace.or(order.map(TraceParent::of_order)),
            attempts: 0,
        };
        let requests: Vec<PaymentRequest> = pack.iter().map(|e| e.request.clone()).collect();
        Outgoing::new(&self.exchange, &self.routing_key, encode_requests(&requests), &envelope)
    }
}

fn note(why: NotConfirmed, pack: &[&Entry]) {
    for entry in pack {
        log::debug!(order:% = entry.request.order_id; "not relayed yet: {why}");
    }
}
