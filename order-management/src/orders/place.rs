//! **place**: from a wish to a committed order with its outbox row, many in one commit.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use common::domain::{About, IdempotencyKey, Order, OrderStatus};
use common::message::PaymentRequest;
use common::road;
use common::runtime::crash_point::reach;
use common::runtime::{
    CrashPoint, Gather, GatherLimits, Metrics, NotGathered, Placements, Station, Tasks,
};
use common::trace::{OrderSpans, Told};
use db::orders::{Placed, Placing, Refusal};
use db::outbox::Batch;
use db::{Db, orders};

use crate::relay::Relay;

/// How many orders are committed together.
const BATCH_MAX: usize = 500;
/// How many commits may be under way.
const IN_FLIGHT_MAX: usize = 2;

/// Why an order was not placed. Nothing of it is left, except where it says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error("refused: {0:?}")]
    Refused(Refusal),
    #[error("an order with the same key is being placed")]
    KeyInFlight,
    #[error("too many orders are waiting to be stored")]
    Full,
    /// It may have been placed all the same: the client repeats it with its key.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    #[error("the store refused the order: {0}")]
    Broken(String),
}

/// An order that is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    /// The order as it was in the first answer.
    pub(crate) order: Order,
    /// Whether this is a repetition of an answer that was given before.
    pub(crate) replayed: bool,
}

/// The way in for orders.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    gather: Gather<Place>,
    in_flight: Arc<Mutex<HashSet<IdempotencyKey>>>,
}

impl Intake {
    /// Opens the station. At most `waiting_max` orders wait in front of it.
    pub(crate) fn open(
        db: &Db,
        relay: &Relay,
        waiting_max: usize,
        (tasks, metrics): (&Tasks, &Metrics),
    ) -> Intake {
        let numbers = metrics.orders.placements.clone();
        let station = Place { db: db.clone(), relay: relay.clone(), numbers };
        let limits =
            GatherLimits { waiting_max, batch_max: BATCH_MAX, in_flight_max: IN_FLIGHT_MAX };
        Intake { gather: Gather::open(station, limits, tasks, metrics), in_flight: Arc::default() }
    }

    /// Places one order. The same key with the same wish again gives the first answer and places
    /// nothing (P7).
    pub(crate) async fn place(&self, placing: Placing) -> Result<Placement, PlaceError> {
        let _guard = placing.key.clone().map(|key| self.guard(key)).transpose()?;
        match self.gather.try_submit(placing).await {
            Ok(Placed::Now(order)) => Ok(Placement { order: first_answer(order), replayed: false }),
            Ok(Placed::Before(order)) => {
                Ok(Placement { order: first_answer(order), replayed: true })
            }
            Ok(Placed::Refused(refusal)) => Err(PlaceError::Refused(refusal)),
            Err(NotGathered::Full) => Err(PlaceError::Full),
            Err(NotGathered::Closed) => Err(PlaceError::Unavailable("stopping".to_owned())),
            Err(NotGathered::Failed(db::Error::Unavailable(why))) => {
                Err(PlaceError::Unavailable(why))
            }
            Err(NotGathered::Failed(db::Error::Refused(why))) => Err(PlaceError::Broken(why)),
        }
    }

    /// Two requests with one key at the same time: the second one is told to come back. Across
    /// processes the database decides, and the second one waits for the first one's commit.
    fn guard(&self, key: IdempotencyKey) -> Result<KeyGuard, PlaceError> {
        let mut keys = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        if !keys.insert(key.clone()) {
            return Err(PlaceError::KeyInFlight);
        }
        Ok(KeyGuard { key, in_flight: self.in_flight.clone() })
    }
}

/// An order's first answer was given when it was pending; everything else never changes.
fn first_answer(order: Order) -> Order {
    Order {
        status: OrderStatus::Pending,
        cancel_reason: None,
        updated_at: order.created_at,
        ..order
    }
}

struct KeyGuard {
    key: IdempotencyKey,
    in_flight: Arc<Mutex<HashSet<IdempotencyKey>>>,
}

impl Drop for KeyGuard {
    fn drop(&mut self) {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[derive(Debug)]
struct Place {
    db: Db,
    relay: Relay,
    numbers: Placements,
}

impl Station for Place {
    const NAME: &'static str = "place";
    type Item = Placing;
    type Done = Placed;
    type Fault = db::Error;

    async fn run(&self, batch: &[Placing]) -> Result<Vec<Placed>, db::Error> {
        reach(CrashPoint::PlaceBegun);
        let spans = OrderSpans::begin(batch.iter().map(about), || Told::done(Self::NAME));
        let lease = self.relay.lease();
        let placements = orders::place(&self.db, batch, lease.length()).await?;
        reach(CrashPoint::PlaceCommitted);
        self.end(spans, batch);
        self.count(&placements.each);
        road::tell("order placed", batch.iter().zip(&placements.each).filter_map(told));
        if let Some(id) = placements.outbox {
            let entries = batch.iter().zip(&placements.each).filter_map(entry).collect();
            self.relay.leave(Batch { id, entries }, lease);
        }
        Ok(placements.each)
    }

    fn may_blame_an_item(fault: &db::Error) -> bool {
        matches!(fault, db::Error::Refused(_))
    }
}

impl Place {
    fn end(&self, mut spans: OrderSpans, batch: &[Placing]) {
        for placing in batch {
            spans.end(placing.id, || Told::done(Self::NAME));
        }
        spans.end_together(|| Told::batch(Self::NAME, batch.len()));
    }

    fn count(&self, each: &[Placed]) {
        let (mut placed, mut repeated, mut refused) = (0, 0, 0);
        for one in each {
            match one {
                Placed::Now(_) => placed += 1,
                Placed::Before(_) => repeated += 1,
                Placed::Refused(_) => refused += 1,
            }
        }
        self.numbers.placed.inc_by(placed);
        self.numbers.repeated.inc_by(repeated);
        self.numbers.refused.inc_by(refused);
    }
}

fn about(placing: &Placing) -> About<'_> {
    About {
        order_id: placing.id,
        request_id: Some(&placing.request_id),
        traceparent: placing.traceparent,
    }
}

/// An order under the request that was answered with it.
fn told<'a>((placing, placed): (&'a Placing, &Placed)) -> Option<(&'static str, About<'a>)> {
    let (outcome, order_id) = match placed {
        Placed::Now(order) => ("placed", order.id),
        Placed::Before(order) => ("repeated", order.id),
        Placed::Refused(_) => return None,
    };
    Some((outcome, About { order_id, ..about(placing) }))
}

fn entry((placing, placed): (&Placing, &Placed)) -> Option<PaymentRequest> {
    let Placed::Now(order) = placed else { return None };
    Some(PaymentRequest {
        order_id: order.id,
        total: order.total,
        currency: order.currency,
        customer_id: order.customer_id,
        payment_method: order.payment_method.clone(),
        request_id: Some(placing.request_id.clone()),
        traceparent: placing.traceparent,
    })
}
