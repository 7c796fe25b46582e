//! **relay**: from the outbox to a confirmed message on the requests' queue.
//!
//! The fast path: whoever committed an order hands it over here and it is published at once. The
//! safe path: a sweep claims what a dead or cut-off process left behind. Both end in the same
//! station, and an outbox row goes only after the broker's confirm of all its orders (P4).

mod publish;

use std::convert::Infallible;
use std::time::{Duration, Instant};

use common::broker::{BrokerSettings, Publisher, Status};
use common::runtime::crash_point::reach;
use common::runtime::{CrashPoint, Gather, GatherLimits, Metrics, NotGathered, Tasks};
use db::outbox::{Batch, BatchId};
use db::{Db, outbox};
use futures_util::future::join_all;

use self::publish::{Publish, Relayed, due};
use crate::config::OutboxSettings;

const LIMITS: GatherLimits = GatherLimits { waiting_max: 8192, batch_max: 500, in_flight_max: 2 };
/// With more than this waiting, orders are left to the sweep.
const FAST_MAX: usize = LIMITS.waiting_max / 2;
/// About how many orders one sweep claims.
const CLAIM_MAX: i64 = 1000;

/// How long an outbox row is ours to publish.
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

    /// A lease that begins now. While the broker is away, or more waits here than will be
    /// published soon, it is empty: the sweep takes the row as soon as it gets to it.
    pub(crate) fn lease(&self) -> Lease {
        let up = self.publisher.status() == Status::Up;
        let soon = self.gather.waiting() < FAST_MAX;
        let length = if up && soon { self.settings.lease } else { Duration::ZERO };
        Lease { until: Instant::now() + length, length }
    }

    /// The fast path. Where there is no room, the sweep finds the row after its lease.
    pub(crate) fn leave(&self, batch: Batch, lease: Lease) {
        if !lease.length.is_zero() && !self.gather.leave_all(due(batch, lease)) {
            log::debug!("the relay is full: orders are left to the sweep");
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
    let batches = outbox::claim(db, CLAIM_MAX, length).await?;
    if batches.is_empty() {
        return Ok(Swept::All);
    }
    reach(CrashPoint::SweepClaimed);
    let (batches, empty): (Vec<_>, Vec<_>) =
        batches.into_iter().partition(|b| !b.entries.is_empty());
    // Somebody has deleted their orders by hand.
    let empty: Vec<BatchId> = empty.into_iter().map(|batch| batch.id).collect();
    if !empty.is_empty() {
        outbox::remove(db, &empty).await?;
    }
    let found: usize = batches.iter().map(|batch| batch.entries.len()).sum();
    metrics.orders.swept.inc_by(u64::try_from(found).unwrap_or(u64::MAX));
    log::debug!(orders = found; "relaying orders that were left behind");
    let relayed = batches.into_iter().map(|batch| relay.gather.submit_all(due(batch, lease)));
    let mut relayed = join_all(relayed).await.into_iter().flatten();
    let all_gone = relayed.all(|r| r == Ok::<_, NotGathered<Infallible>>(Relayed::Gone));
    Ok(if all_gone { Swept::More } else { Swept::All })
}
