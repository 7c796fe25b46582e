//! What became of one order, from what the tables know. No row is written for it on the fast path, so
//! a moment that no row remembers has no time here.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use db::dead_letters::Outcome;
use db::{Db, Error, Settings, timeline};
use domain::{GatewayCall, OrderId, OrderStatus, PaymentId, Reason};
use telemetry::metrics::Metrics;
use time::OffsetDateTime;
use tokio::runtime::Handle;

mod events;

/// How many connections to the payments' tables are held.
const PAYMENTS_POOL_MAX: usize = 2;
/// How long the payments' tables may take, each time: until a connection is free, then until one is made
/// or the statement has its answer. Without them there is still something to tell.
const PAYMENTS_TIMEOUT: Duration = Duration::from_secs(1);

/// Tells timelines.
#[derive(Clone, Debug)]
pub(crate) struct Timelines {
    shop: Db,
    payments: Db,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// Which one.
    pub(crate) id: OrderId,
    /// How far it is.
    pub(crate) status: OrderStatus,
    /// What it waits for, if it is pending and that can be told.
    pub(crate) waits_for: Option<WaitsFor>,
    /// Whether the workers' part could be read.
    pub(crate) payments: Part,
    /// What happened, in the order of the road.
    pub(crate) events: Vec<Event>,
}

/// Whether a part could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Read,
    Missing,
}

/// What a pending order waits for; the auditor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    /// Its request has not reached the broker.
    InOutbox,
    /// Its request is on its way or lost: no worker has begun.
    NotBegun,
    /// The gateway may have been asked, and has not said how it ended.
    UnknownCharge,
    /// The payment has ended; the result is on its way or lost.
    NotSettled,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// When, by the clock of the database that knows it; `None` if none does.
    pub(crate) at: Option<OffsetDateTime>,
    /// What.
    pub(crate) what: What,
}

/// A worker, and how often the payment had been taken when it did its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct By {
    pub(crate) worker: Option<String>,
    pub(crate) attempt: i32,
}

/// What can happen to an order.
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
    /// Reads the shop's tables through `shop` and connects to the payments' when somebody asks.
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

    /// What became of an order; `None` if there is none. Without the payments' tables it is what the
    /// shop knows.
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

/// One line a second is enough to know, however many ask.
fn complain(id: OrderId, error: &Error) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() > Duration::from_secs(1)) {
        *last = Some(Instant::now());
        log::warn!(order_id:% = id; "a timeline is told without its payment: {error}");
    }
}
