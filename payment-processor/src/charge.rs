//! **charge**: from a payment request to a recorded verdict.
//!
//! The payment is recorded as started before the gateway is asked and as finished after it has
//! answered. Whatever dies in between, the next delivery finds the row and asks the gateway
//! again under the same key.

mod asking;
mod stations;
mod told;

use std::sync::Arc;

use common::domain::{PaymentId, RequestId, Verdict, WorkerName};
use common::message::PaymentRequest;
use common::road::{self, TraceId};
use common::runtime::{Gather, GatherLimits, Metrics, Tasks};
use db::payments::{Finishing, Payment, Started, Starting};
use db::{Db, until_stored};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::asking::Asking;
pub(crate) use self::asking::ChargeLimits;
use self::stations::{Finish, Start};
pub(crate) use self::told::outcome;
use self::told::{begun, begun_again, ended};
use crate::gateway::{Charge, Gateway};

const LIMITS: GatherLimits = GatherLimits { waiting_max: 8192, batch_max: 1000, in_flight_max: 2 };

/// A payment that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Charged {
    /// Its id.
    pub(crate) payment_id: PaymentId,
    /// The verdict that is recorded.
    pub(crate) verdict: Verdict,
}

/// Why a charge has no verdict. A declined card is a verdict, not an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChargeError {
    /// Money was captured or not, nobody knows (P3): ask again, under the same key.
    #[error("the gateway gave no verdict: {0}")]
    NoVerdict(&'static str),
    /// The store will not take it, whatever is tried.
    #[error(transparent)]
    Store(#[from] db::Error),
}

/// A request and what became of it.
#[derive(Debug)]
pub(crate) struct Charging {
    /// What was asked for.
    pub(crate) request: PaymentRequest,
    /// How it ended, or why it did not.
    pub(crate) result: Result<Charged, ChargeError>,
    /// Its place among the orders in work, until this is dropped.
    pub(crate) room: Room,
}

/// The place of an order among those in work. `None` for what is more than the whole room.
pub(crate) type Room = Option<OwnedSemaphorePermit>;

/// A request on its way through the gateway.
enum Verdicted {
    /// A verdict that is not recorded yet, and how often the payment had been taken by then.
    Now(PaymentRequest, Charged, i32),
    /// A verdict of an earlier delivery.
    Before(PaymentRequest, Charged),
    /// None.
    Not(PaymentRequest, ChargeError),
}

/// Charges orders.
#[derive(Debug)]
pub(crate) struct Charges {
    start: Gather<Start>,
    finish: Gather<Finish>,
    gateway: Gateway,
    asking: Asking,
    orders_max: u16,
    room: Arc<Semaphore>,
}

impl Charges {
    /// Opens the stations in front of the payment tables.
    pub(crate) fn open(
        (db, worker): (&Db, &WorkerName),
        gateway: Gateway,
        limits: ChargeLimits,
        (tasks, metrics): (&Tasks, &Metrics),
    ) -> Charges {
        let orders_max = limits.orders_max;
        let room = Arc::new(Semaphore::new(usize::from(orders_max)));
        show_room(&room, orders_max, metrics);
        Charges {
            start: Gather::open(Start(db.clone(), worker.clone()), LIMITS, tasks, metrics),
            finish: Gather::open(Finish(db.clone(), worker.clone()), LIMITS, tasks, metrics),
            gateway,
            asking: Asking::open((db, worker), limits.timeout, (tasks, metrics)),
            orders_max,
            room,
        }
    }

    /// Waits until so many more orders may be in work; a pack larger than the whole room waits for
    /// all of it.
    pub(crate) async fn room_for(&self, orders: usize) -> Room {
        let wanted = u32::try_from(orders).unwrap_or(u32::MAX).min(self.orders_max.into());
        self.room.clone().acquire_many_owned(wanted).await.ok()
    }

    /// Charges orders, each unless it has been charged already, all at the same time. They come
    /// back in the groups in which their verdicts arrived, so that a slow one holds up nobody.
    pub(crate) async fn charge(
        &self,
        requests: Vec<PaymentRequest>,
        mut room: Room,
    ) -> impl Stream<Item = Vec<Charging>> {
        let startings: Vec<Starting> = requests.iter().map(Start::item).collect();
        let started = until_stored(&self.start, &startings).await;
        road::whisper("payment started", requests.iter().zip(&started).filter_map(begun));
        road::tell("payment resumed", requests.iter().zip(&started).filter_map(begun_again));
        let ask = |(request, started)| {
            let room = room.as_mut().and_then(|room| room.split(1));
            self.verdict(request, started).map(|verdicted| (verdicted, room))
        };
        let asked: FuturesUnordered<_> = requests.into_iter().zip(started).map(ask).collect();
        // The stream makes room for a whole group beforehand, so it has to know how large one gets.
        let group_max = asked.len().max(1);
        asked.ready_chunks(group_max).map(|group| self.record(group)).buffer_unordered(group_max)
    }

    /// Asks the gateway, unless the verdict is known. Nothing is recorded yet.
    async fn verdict(
        &self,
        request: PaymentRequest,
        started: Result<Started, db::Error>,
    ) -> Verdicted {
        let (payment, verdict) = match started {
            Err(error) => return Verdicted::Not(request, error.into()),
            Ok(Started::Again(Payment { id, verdict: Some(verdict), .. })) => {
                return Verdicted::Before(request, Charged { payment_id: id, verdict });
            }
            Ok(Started::First(payment)) => {
                let charge = charge_of(&request, &payment);
                let asked = (&request, payment.attempt);
                let verdict = self.asking.ask(asked, self.gateway.charge(&charge)).await;
                (payment, verdict)
            }
            Ok(Started::Again(payment)) => {
                let charge = charge_of(&request, &payment);
                let asked = (&request, payment.attempt);
                let verdict = match self.asking.ask(asked, self.gateway.look_up(&charge)).await {
                    Ok(Some(verdict)) => Ok(verdict),
                    Ok(None) => self.asking.ask(asked, self.gateway.charge(&charge)).await,
                    Err(no_verdict) => Err(no_verdict),
                };
                (payment, verdict)
            }
        };
        self.asking.count(verdict.as_ref().ok());
        match verdict {
            Ok(verdict) => {
                let charged = Charged { payment_id: payment.id, verdict };
                Verdicted::Now(request, charged, payment.attempt)
            }
            Err(error) => Verdicted::Not(request, error),
        }
    }

    /// Records the verdicts of a group in one go.
    async fn record(&self, group: Vec<(Verdicted, Room)>) -> Vec<Charging> {
        let finishings: Vec<Finishing> = group.iter().filter_map(|(v, _)| finishing(v)).collect();
        let mut recorded = until_stored(&self.finish, &finishings).await.into_iter();
        let end = |(verdicted, room)| match verdicted {
            Verdicted::Before(request, charged) => Charging { request, result: Ok(charged), room },
            Verdicted::Not(request, error) => Charging { request, result: Err(error), room },
            Verdicted::Now(request, said, _) => {
                let result = match recorded.next() {
                    Some(Ok(verdict)) => Ok(agreed(&request, said, verdict)),
                    Some(Err(error)) => Err(error.into()),
                    None => Err(ChargeError::NoVerdict("nothing was recorded")),
                };
                Charging { request, result, room }
            }
        };
        let group: Vec<Charging> = group.into_iter().map(end).collect();
        road::tell("payment finished", group.iter().filter_map(ended));
        group
    }
}

/// Shows at each scrape how many orders are in work.
fn show_room(room: &Arc<Semaphore>, orders_max: u16, metrics: &Metrics) {
    let (room, in_flight) = (room.clone(), metrics.gateway.in_flight.clone());
    metrics.gateway.in_flight_max.set(orders_max.into());
    metrics.at_scrape(move || {
        let free = i64::try_from(room.available_permits()).unwrap_or(i64::MAX);
        in_flight.set(i64::from(orders_max).saturating_sub(free));
    });
}

fn finishing(verdicted: &Verdicted) -> Option<Finishing> {
    match verdicted {
        Verdicted::Now(request, charged, attempt) => Some(Finishing {
            order_id: request.order_id,
            verdict: charged.verdict.clone(),
            attempt: *attempt,
        }),
        Verdicted::Before(..) | Verdicted::Not(..) => None,
    }
}

/// The verdict that was recorded first stays.
fn agreed(request: &PaymentRequest, said: Charged, recorded: Verdict) -> Charged {
    if said.verdict != recorded {
        let (said, about) = (&said.verdict, request.about());
        let (order_id, trace_id) = (about.order_id, TraceId(&about));
        let request_id = about.request_id.map(RequestId::as_str);
        log::error!(order_id:%, request_id, trace_id:%; "the gateway said {said:?} after {recorded:?}");
    }
    Charged { verdict: recorded, ..said }
}

/// What is charged is what was recorded first: a second request for the same order changes
/// nothing of it.
fn charge_of(request: &PaymentRequest, payment: &Payment) -> Charge {
    let asked = (request.total, request.currency, &request.payment_method);
    if asked != (payment.amount, payment.currency, &payment.payment_method) {
        let about = request.about();
        let (order_id, trace_id) = (about.order_id, TraceId(&about));
        let request_id = about.request_id.map(RequestId::as_str);
        log::error!(order_id:%, request_id, trace_id:%; "requested again with other terms: ignored");
    }
    Charge {
        key: request.order_id.to_string(),
        order_id: request.order_id,
        amount: payment.amount,
        currency: payment.currency,
        payment_method: payment.payment_method.clone(),
    }
}
