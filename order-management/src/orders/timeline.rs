//! The timeline of one order, from the tables. No row is written for it on the fast path, so an event
//! that no row records has no time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use db::{Db, Error, Reads, Settings, timeline};
use domain::OrderId;
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;

mod event;
mod events;

pub(crate) use event::{By, Event, Part, Timeline, WaitsFor, What};

/// Largest number of connections to the payment tables.
const PAYMENTS_POOL_MAX: usize = 2;
/// Timeout of each step on the payment tables: a free connection, then a new connection or the answer.
/// Without them the timeline is incomplete, but not empty.
const PAYMENTS_TIMEOUT: Duration = Duration::from_secs(1);

/// The source of timelines.
#[derive(Clone, Debug)]
pub(crate) struct Timelines {
    shop: Reads,
    payments: Db,
}

impl Timelines {
    /// Reads the shop's tables through `shop`, and the workers' tables through `payments`.
    pub(crate) fn new(shop: &Reads, payments: &Db) -> Timelines {
        Timelines { shop: shop.clone(), payments: payments.clone() }
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

/// The payment tables, to be read only: by timelines, and by the reconciler. Connects at the first
/// statement.
///
/// # Errors
/// If the pool cannot be built at all.
pub(crate) fn open_payments(settings: &Settings, metrics: &Metrics) -> Result<Db, Error> {
    let settings = Settings {
        pool_max: settings.pool_max.min(PAYMENTS_POOL_MAX),
        statement_timeout: settings.statement_timeout.min(PAYMENTS_TIMEOUT),
        ..settings.clone()
    };
    let payments = Db::read_only(&settings, Handle::current())?;
    payments.expose(metrics, "payments");
    Ok(payments)
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
