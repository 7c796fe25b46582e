//! **relay**: from the outbox to a confirmed message on the requests' queue.
//!
//! The fast path: the process that committed an order publishes it at once. The safe path: a sweep
//! claims the rows that a dead or disconnected process left behind. Both end in the same stage, and an
//! outbox row is removed only after the broker has confirmed all its orders (P4).

mod batch;
mod lease;

use std::convert::Infallible;
use std::time::Duration;

use amqp::{BrokerSettings, Publisher, Status};
use batcher::{BatchLimits, Batcher, SubmitError};
use db::outbox::{Batch, BatchId, LeaseTerms, Mark};
use db::{Db, outbox};
use futures_util::future::join_all;
use service::Runtime;
use service::crash_point::reach;
use telemetry::trace::MessageSpans;

use self::batch::{RelayBatch, RelayOutcome, pending};
use self::lease::Lease;
use crate::config::OutboxSettings;
use crate::crash_points;
use crate::metrics::OrderMetrics;
use crate::presence::{self, Present};

const LIMITS: BatchLimits = BatchLimits { waiting_max: 8192, batch_max: 500, in_flight_max: 2 };
/// Largest number of waiting orders; beyond it orders are left to the sweep.
const FAST_MAX: usize = LIMITS.waiting_max / 2;
/// Approximate number of orders that one sweep claims.
const CLAIM_MAX: i64 = 1000;

/// The relay of committed orders to the broker.
#[derive(Clone, Debug)]
pub(crate) struct Relay {
    batcher: Batcher<RelayBatch>,
    publisher: Publisher,
    present: Present,
    settings: OutboxSettings,
}

/// The store and the broker, as the relay uses them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelayLinks<'a> {
    pub(crate) db: &'a Db,
    pub(crate) publisher: &'a Publisher,
}

impl Relay {
    /// Starts the stage and its sweep.
    pub(crate) fn open(
        broker: &BrokerSettings,
        settings: OutboxSettings,
        links: RelayLinks<'_>,
        runtime: &Runtime,
    ) -> Relay {
        let RelayLinks { db, publisher } = links;
        let relay = RelayBatch {
            db: db.clone(),
            publisher: publisher.clone(),
            route: broker.send_route(),
            reply_to: broker.receive.name.clone(),
            per_message: broker.orders_per_message,
            signing: settings.signing.clone(),
            spans: MessageSpans::of(&broker.topology.exchange, &broker.send.name),
        };
        let batcher = Batcher::open(relay, LIMITS, runtime);
        let present = presence::start(db, &runtime.tasks);
        let relay = Relay { batcher, publisher: publisher.clone(), present, settings };
        runtime.tasks.spawn("sweep", sweep(relay.clone(), db.clone(), runtime.clone()));
        relay
    }

    /// A lease that begins now. It is empty while the broker is away, or while more orders wait here
    /// than will be published soon: the sweep then claims the row as soon as it can.
    pub(crate) fn lease(&self) -> Lease {
        let up = self.publisher.status() == Status::Up;
        let soon = self.batcher.waiting() < FAST_MAX;
        match up && soon {
            true => self.whole_lease(),
            false => Lease::of(Duration::ZERO.into()),
        }
    }

    fn whole_lease(&self) -> Lease {
        let length = self.settings.lease;
        Lease::of(LeaseTerms { length, holder: self.present.holder() })
    }

    /// The fast path. If there is no room, the sweep finds the row after its lease.
    pub(crate) fn publish(&self, batch: Batch, lease: Lease) {
        if !lease.is_empty() && !self.batcher.submit_detached(pending(batch, lease)) {
            log::debug!("the relay is full: orders are left to the sweep");
        }
    }

    /// Returns once nothing is being published any more.
    pub(crate) async fn wait_idle(&self) {
        self.batcher.wait_idle().await;
    }
}

/// The safe path, for as long as the process runs.
async fn sweep(relay: Relay, db: Db, runtime: Runtime) {
    let metrics: OrderMetrics = runtime.metrics.get();
    let stopping = runtime.tasks.stopping();
    let mut mark = None;
    loop {
        let pause = tokio::time::sleep(relay.settings.sweep);
        tokio::select! {
            () = pause => {}
            () = stopping.cancelled() => return,
        }
        advance_start(&db, &mut mark).await;
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

/// Keeps the sweeps short while removed rows cannot be cleaned away.
async fn advance_start(db: &Db, mark: &mut Option<Mark>) {
    if let Err(error) = outbox::advance_start(db, mark).await {
        log::debug!("the start of the outbox cannot be advanced: {error}");
    }
}

/// The result of one sweep: another one at once may find more, or not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Swept {
    More,
    All,
}

async fn sweep_once(relay: &Relay, db: &Db, metrics: &OrderMetrics) -> Result<Swept, db::Error> {
    let lease = relay.whole_lease();
    let batches = outbox::claim(db, CLAIM_MAX, lease.terms()).await?;
    if batches.is_empty() {
        return Ok(Swept::All);
    }
    reach(crash_points::SWEEP_CLAIMED);
    let (batches, empty): (Vec<_>, Vec<_>) =
        batches.into_iter().partition(|b| !b.entries.is_empty());
    // Their orders were deleted by hand.
    let empty: Vec<BatchId> = empty.into_iter().map(|batch| batch.id).collect();
    if !empty.is_empty() {
        outbox::remove(db, &empty).await?;
    }
    let found: usize = batches.iter().map(|batch| batch.entries.len()).sum();
    metrics.swept.inc_by(u64::try_from(found).unwrap_or(u64::MAX));
    log::debug!(orders = found; "relaying orders that were left behind");
    let relayed = batches.into_iter().map(|batch| relay.batcher.submit_all(pending(batch, lease)));
    let mut relayed = join_all(relayed).await.into_iter().flatten();
    let all_gone = relayed.all(|r| r == Ok::<_, SubmitError<Infallible>>(RelayOutcome::Published));
    Ok(if all_gone { Swept::More } else { Swept::All })
}
