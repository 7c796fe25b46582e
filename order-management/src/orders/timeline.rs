//! The timeline of one order, from the tables. No row is written for it on the fast path, so an event
//! that no row records has no time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use db::dead_letters::Outcome;
use db::{Db, Error, Settings, timeline};
use domain::{GatewayCall, OrderId, OrderStatus, PaymentId, Reason};
use telemetry::metrics::Metrics;
use time::OffsetDateTime;
use tokio::runtime::Handle;

mod events;

/// Largest number of connections to the payment tables.
const PAYMENTS_POOL_MAX: usize = 2;
/// Timeout of each step on the payment tables: a free connection, then a new connection or the answer.
/// Without them the timeline is incomplete, but not empty.
const PAYMENTS_TIMEOUT: Duration = Duration::from_secs(1);

/// The source of timelines.
#[derive(Clone, Debug)]
pub(crate) struct Timelines {
    shop: Db,
    payments: Db,
}

/// The timeline of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// The order.
    pub(crate) id: OrderId,
    /// The order's status.
    pub(crate) status: OrderStatus,
    /// The reason to wait, if the order is pending and the reason is known.
    pub(crate) waits_for: Option<WaitsFor>,
    /// State of the workers' part.
    pub(crate) payments: Part,
    /// The events, in the order of the pipeline.
    pub(crate) events: Vec<Event>,
}

/// State of a part of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Read,
    Missing,
}

/// The reason why an order is pending, in the auditor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    /// The request has not reached the broker.
    InOutbox,
    /// The request is on its way or lost: no worker has started the payment.
    NotBegun,
    /// The gateway may have been asked, and has given no verdict.
    UnknownCharge,
    /// The payment is finished; the result is on its way or lost.
    NotSettled,
}

/// An event of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The time, by the clock of the database that recorded it; `None` if none did.
    pub(crate) at: Option<OffsetDateTime>,
    /// The kind of event.
    pub(crate) what: What,
}

/// A worker, and the number of times that the payment had been started by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct By {
    pub(crate) worker: Option<String>,
    pub(crate) attempt: i32,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Placed,
    Queued,
    Published,
    PaymentStarted(By),
    PaymentResumed(By),
    Unanswered(By, GatewayCall, String),
    Captured(By, PaymentId),
    Declined(By, PaymentId, Option<Reason>),
    Replied,
    Settled(OrderStatus, Option<Reason>),
    PaymentRerequested(i32),
    Parked { queue: String, reason: String },
    Replayed { by: String, outcome: Outcome },
    Discarded { by: String, outcome: Outcome },
}

impl Timelines {
    /// Reads the shop's tables through `shop`. Connects to the payment tables at the first request.
    ///
    /// # Errors
    /// If the second pool cannot be built at all.
    pub(crate) fn open(
        shop: &Db,
        payments: &Settings,
        metrics: &Metrics,
    ) -> Result<Timelines, Error> {
        let settings = Settings {
            pool_max: payments.pool_max.min(PAYMENTS_POOL_MAX),
            statement_timeout: payments.statement_timeout.min(PAYMENTS_TIMEOUT),
            ..payments.clone()
        };
        let payments = Db::read_only(&settings, Handle::current())?;
        payments.expose(metrics, "payments");
        Ok(Timelines { shop: shop.clone(), payments })
    }

    /// The timeline of an order; `None` if there is no such order. Without the payment tables it has the
    /// shop's events only.
    ///
    /// # Errors
    /// If the shop's tables cannot be read.
    pub(crate) async fn of(&self, id: OrderId) -> Result<Option<Timeline>, Error> {
        let Some(shop) = timeline::shop(&self.shop, id).await? else { return Ok(None) };
        let payment = timeline::payments(&self.payments, id).await;
        let payment = payment.inspect_err(|error| complain(id, error));
        Ok(Some(events::timeline(id, &shop, payment.as_ref().map(Option::as_ref).ok())))
    }
}

/// Logs at most one line a second.
fn complain(id: OrderId, error: &Error) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() > Duration::from_secs(1)) {
        *last = Some(Instant::now());
        log::warn!(order_id:% = id; "a timeline is incomplete: its payment cannot be read: {error}");
    }
}
