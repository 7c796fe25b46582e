//! **place**: from a request to a committed order with its outbox row, many in one commit.

use batcher::{BatchHandler, BatchLimits, Batcher, SubmitError};
use db::orders::{PlaceOrder, PlaceOutcome, Refusal};
use db::outbox::Batch;
use db::{Db, orders};
use domain::{About, IdempotencyKey, Order, OrderStatus};
use messages::PaymentRequest;
use service::Runtime;
use service::crash_point::reach;
use telemetry::order_log;
use telemetry::trace::{OrderSpans, SpanRecord};

use crate::crash_points;
use crate::keys::{KeyInUse, KeysInUse};
use crate::metrics::{OrderMetrics, PlaceMetrics};
use crate::relay::Relay;

/// Largest number of orders in one commit.
const BATCH_MAX: usize = 500;
/// Largest number of commits at the same time.
const IN_FLIGHT_MAX: usize = 2;

/// The reason why an order was not placed. Nothing is stored, unless a variant says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error("refused: {0:?}")]
    Refused(Refusal),
    #[error(transparent)]
    KeyInUse(#[from] KeyInUse),
    #[error("too many orders are waiting to be stored")]
    Full,
    /// The order may have been placed: the client repeats the request with its key.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    #[error("the store refused the order: {0}")]
    Broken(String),
}

/// A committed order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    /// The order as in the first answer.
    pub(crate) order: Order,
    /// `true` if the answer was given before.
    pub(crate) replayed: bool,
}

/// The intake of orders.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    batcher: Batcher<PlaceBatch>,
    keys: KeysInUse<IdempotencyKey>,
}

impl Intake {
    /// Starts the stage. At most `waiting_max` orders wait in front of it.
    pub(crate) fn open(db: &Db, relay: &Relay, waiting_max: usize, runtime: &Runtime) -> Intake {
        let metrics = runtime.metrics.get::<OrderMetrics>().placements;
        let place = PlaceBatch { db: db.clone(), relay: relay.clone(), metrics };
        let limits =
            BatchLimits { waiting_max, batch_max: BATCH_MAX, in_flight_max: IN_FLIGHT_MAX };
        Intake { batcher: Batcher::open(place, limits, runtime), keys: KeysInUse::default() }
    }

    /// Places one order. The same key with the same request again gives the first answer and places
    /// nothing (P7).
    pub(crate) async fn place(&self, placing: PlaceOrder) -> Result<Placement, PlaceError> {
        let _guard = placing.key.clone().map(|key| self.keys.enter(key)).transpose()?;
        match self.batcher.try_submit(placing).await {
            Ok(PlaceOutcome::Placed(order)) => {
                Ok(Placement { order: first_answer(order), replayed: false })
            }
            Ok(PlaceOutcome::Repeated(order)) => {
                Ok(Placement { order: first_answer(order), replayed: true })
            }
            Ok(PlaceOutcome::Refused(refusal)) => Err(PlaceError::Refused(refusal)),
            Err(SubmitError::Full) => Err(PlaceError::Full),
            Err(SubmitError::Closed) => Err(PlaceError::Unavailable("stopping".to_owned())),
            Err(SubmitError::Failed(db::Error::Unavailable(why))) => {
                Err(PlaceError::Unavailable(why))
            }
            Err(SubmitError::Failed(db::Error::Refused(why))) => Err(PlaceError::Broken(why)),
        }
    }
}

/// The order as it was when it was pending; its other fields never change.
fn first_answer(order: Order) -> Order {
    Order {
        status: OrderStatus::Pending,
        cancel_reason: None,
        updated_at: order.created_at,
        ..order
    }
}

/// Commits a batch of orders.
#[derive(Debug)]
struct PlaceBatch {
    db: Db,
    relay: Relay,
    metrics: PlaceMetrics,
}

impl BatchHandler for PlaceBatch {
    const NAME: &'static str = "place";
    type Item = PlaceOrder;
    type Output = PlaceOutcome;
    type Error = db::Error;

    async fn run(&self, batch: &[PlaceOrder]) -> Result<Vec<PlaceOutcome>, db::Error> {
        reach(crash_points::PLACE_BEGUN);
        let spans = OrderSpans::begin(batch.iter().map(about), || SpanRecord::done(Self::NAME));
        let lease = self.relay.lease();
        let placements = orders::place(&self.db, batch, lease.terms()).await?;
        reach(crash_points::PLACE_COMMITTED);
        self.end(spans, batch);
        self.count(&placements.each);
        let placed = || batch.iter().zip(&placements.each);
        order_log::info(
            "order placed",
            placed().filter_map(|(order, outcome)| logged(order, outcome)),
        );
        if let Some(id) = placements.outbox {
            let entries =
                placed().filter_map(|(order, outcome)| payment_request(order, outcome)).collect();
            self.relay.publish(Batch { id, entries }, lease);
        }
        Ok(placements.each)
    }

    fn may_blame_an_item(error: &db::Error) -> bool {
        matches!(error, db::Error::Refused(_))
    }
}

impl PlaceBatch {
    fn end(&self, mut spans: OrderSpans, batch: &[PlaceOrder]) {
        for placing in batch {
            spans.end(placing.id, || SpanRecord::done(Self::NAME));
        }
        spans.end_together(|| SpanRecord::batch(Self::NAME, batch.len()));
    }

    fn count(&self, each: &[PlaceOutcome]) {
        let (mut placed, mut repeated, mut refused) = (0, 0, 0);
        for one in each {
            match one {
                PlaceOutcome::Placed(_) => placed += 1,
                PlaceOutcome::Repeated(_) => repeated += 1,
                PlaceOutcome::Refused(_) => refused += 1,
            }
        }
        self.metrics.placed.inc_by(placed);
        self.metrics.repeated.inc_by(repeated);
        self.metrics.refused.inc_by(refused);
    }
}

fn about(placing: &PlaceOrder) -> About<'_> {
    About {
        order_id: placing.id,
        request_id: Some(&placing.request_id),
        traceparent: placing.traceparent,
    }
}

/// The order log entry of an order, under the request that was answered with it.
fn logged<'a>(placing: &'a PlaceOrder, placed: &PlaceOutcome) -> Option<(&'static str, About<'a>)> {
    let (outcome, order_id) = match placed {
        PlaceOutcome::Placed(order) => ("placed", order.id),
        PlaceOutcome::Repeated(order) => ("repeated", order.id),
        PlaceOutcome::Refused(_) => return None,
    };
    Some((outcome, About { order_id, ..about(placing) }))
}

fn payment_request(placing: &PlaceOrder, placed: &PlaceOutcome) -> Option<PaymentRequest> {
    let PlaceOutcome::Placed(order) = placed else { return None };
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
