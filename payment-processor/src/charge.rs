//! **charge**: from a payment request to a recorded verdict.
//!
//! The payment is recorded as started before the gateway is asked, and as finished after the gateway
//! has answered. If the process dies in between, the next delivery finds the row and asks the gateway
//! again under the same key.

mod asking;
mod attempt;
mod batches;
mod logging;
mod terms;

use std::sync::Arc;
use std::time::Duration;

use batcher::Batcher;
use db::payments::{FinishPayment, Payment, ScheduledCopy, StartOutcome, StartPayment};
use db::until_stored;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use messages::PaymentRequest;
use service::Runtime;
use telemetry::metrics::Counter;
use telemetry::order_log;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::asking::Asking;
use self::attempt::LIMITS;
pub(crate) use self::attempt::PaymentStore;
pub(crate) use self::attempt::{ChargeAttempt, ChargeError, ChargeLimits, ChargeState, Room};
use self::batches::{FinishBatch, NoteScheduled, StartBatch, start_payment};
pub(crate) use self::logging::outcome;
use self::logging::{finished, resumed, started};
use self::terms::{charge_of, report_contradiction};
use crate::gateway::{Gateway, GatewayError};
use crate::metrics::GatewayMetrics;

/// Charges orders.
#[derive(Debug)]
pub(crate) struct Charges {
    start: Batcher<StartBatch>,
    finish: Batcher<FinishBatch>,
    notes: Batcher<NoteScheduled>,
    gateway: Gateway,
    asking: Asking,
    orders_max: u16,
    room: Arc<Semaphore>,
    /// The part of the room that attempts after the first may take.
    retry_room: Arc<Semaphore>,
    put_off: Counter,
}

/// The part of the room for orders that attempts after the first may take together is one in this many:
/// orders of a gateway, or of an account, that does not answer leave the rest to new orders.
const RETRY_SHARE: u16 = 4;
/// Time that a retried message waits for a place in that part; then it goes back to the retry queues.
const RETRY_WAIT: Duration = Duration::from_millis(200);

impl Charges {
    /// Starts the stages in front of the payment tables.
    pub(crate) fn open(
        store: PaymentStore,
        gateway: Gateway,
        limits: ChargeLimits,
        runtime: &Runtime,
    ) -> Charges {
        let orders_max = limits.orders_max;
        let room = Arc::new(Semaphore::new(usize::from(orders_max)));
        expose_room(&room, orders_max, runtime);
        Charges {
            start: Batcher::open(StartBatch(store.clone()), LIMITS, runtime),
            finish: Batcher::open(FinishBatch(store.clone()), LIMITS, runtime),
            notes: Batcher::open(NoteScheduled(store.clone()), LIMITS, runtime),
            gateway,
            asking: Asking::open(store, limits.timeout, runtime),
            orders_max,
            room,
            retry_room: Arc::new(Semaphore::new(usize::from((orders_max / RETRY_SHARE).max(1)))),
            put_off: runtime.metrics.get::<GatewayMetrics>().put_off,
        }
    }

    /// Room for a message that was retried, besides [`Charges::room_for`]; `None` if the retries in
    /// flight keep their whole share for [`RETRY_WAIT`], which is counted.
    pub(crate) async fn room_for_retry(&self, orders: usize) -> Option<OwnedSemaphorePermit> {
        let share = (self.orders_max / RETRY_SHARE).max(1);
        let wanted = u32::try_from(orders).unwrap_or(u32::MAX).min(share.into());
        let room = self.retry_room.clone().acquire_many_owned(wanted);
        let room = tokio::time::timeout(RETRY_WAIT, room).await.ok().and_then(Result::ok);
        if room.is_none() {
            self.put_off.inc();
        }
        room
    }

    /// Waits for room for this many orders; a pack that exceeds the whole room waits for all of it.
    pub(crate) async fn room_for(&self, orders: usize) -> Room {
        let wanted = u32::try_from(orders).unwrap_or(u32::MAX).min(self.orders_max.into());
        self.room.clone().acquire_many_owned(wanted).await.ok()
    }

    /// Notes the copies of requests that the broker has confirmed in a retry queue. Returns once they
    /// are stored.
    pub(crate) async fn note_scheduled(&self, copies: &[ScheduledCopy]) {
        for error in until_stored(&self.notes, copies).await.into_iter().filter_map(Result::err) {
            log::error!("a scheduled request is not noted: {error}");
        }
    }

    /// Charges orders, each unless it has been charged already, all at the same time. Yields them in
    /// the groups in which their verdicts arrive, so that a slow one delays no other. `number` is the
    /// number of earlier attempts that the message carries.
    pub(crate) async fn charge(
        &self,
        requests: Vec<PaymentRequest>,
        mut room: Room,
        number: u32,
    ) -> impl Stream<Item = Vec<ChargeAttempt>> {
        let starts: Vec<StartPayment> = requests.iter().map(start_payment).collect();
        let outcomes = until_stored(&self.start, &starts).await;
        order_log::debug(
            "payment started",
            requests
                .iter()
                .zip(&outcomes)
                .filter_map(|(request, outcome)| started(request, outcome)),
        );
        order_log::info(
            "payment resumed",
            requests
                .iter()
                .zip(&outcomes)
                .filter_map(|(request, outcome)| resumed(request, outcome)),
        );
        let ask = |((index, request), outcome)| {
            let room = room.as_mut().and_then(|room| room.split(1));
            self.verdict(request, outcome, number).map(move |(request, state)| ChargeAttempt {
                index,
                request,
                state,
                _room: room,
            })
        };
        let requests = requests.into_iter().enumerate();
        let asked: FuturesUnordered<_> = requests.zip(outcomes).map(ask).collect();
        // `ready_chunks` reserves room for a whole group beforehand.
        let group_max = asked.len().max(1);
        asked.ready_chunks(group_max).map(|group| self.record(group)).buffer_unordered(group_max)
    }

    /// Asks the gateway, unless the verdict is known. Records nothing.
    async fn verdict(
        &self,
        request: PaymentRequest,
        outcome: Result<StartOutcome, db::Error>,
        number: u32,
    ) -> (PaymentRequest, ChargeState) {
        let (payment, verdict) = match outcome {
            Err(error) => return (request, ChargeState::Unfinished(error.into())),
            Ok(StartOutcome::Again(Payment { id, verdict: Some(verdict), .. })) => {
                return (request, ChargeState::Finished { payment_id: id, verdict });
            }
            // The message with the higher number is on its way.
            Ok(StartOutcome::Again(payment))
                if i64::from(payment.scheduled) > i64::from(number) =>
            {
                return (request, ChargeState::Superseded);
            }
            Ok(StartOutcome::First(payment)) => {
                let charge = charge_of(&request, &payment);
                let asking = self.asking.about(&request, payment.attempt);
                let verdict = asking.ask(self.gateway.charge(&charge)).await;
                (payment, verdict)
            }
            Ok(StartOutcome::Again(payment)) => {
                let charge = charge_of(&request, &payment);
                let asking = self.asking.about(&request, payment.attempt);
                let verdict = match asking.ask(self.gateway.look_up(&charge)).await {
                    Ok(Some(verdict)) => Ok(verdict),
                    Ok(None) => asking.ask(self.gateway.charge(&charge)).await,
                    Err(no_verdict) => Err(no_verdict),
                };
                (payment, verdict)
            }
        };
        self.asking.count(verdict.as_ref().ok());
        let state = match verdict {
            Ok(verdict) => {
                ChargeState::Answered { payment_id: payment.id, verdict, attempt: payment.attempt }
            }
            Err(error) => ChargeState::Unfinished(error),
        };
        (request, state)
    }

    /// Records the verdicts of a group in one statement.
    async fn record(&self, mut group: Vec<ChargeAttempt>) -> Vec<ChargeAttempt> {
        let finishes: Vec<FinishPayment> = group.iter().filter_map(finish_payment).collect();
        let mut recorded = until_stored(&self.finish, &finishes).await.into_iter();
        for attempt in &mut group {
            let ChargeState::Answered { payment_id, verdict, .. } = &attempt.state else {
                continue;
            };
            attempt.state = match recorded.next() {
                Some(Ok(stored)) => {
                    report_contradiction(&attempt.request, verdict, &stored);
                    ChargeState::Finished { payment_id: *payment_id, verdict: stored }
                }
                Some(Err(error)) => ChargeState::Unfinished(error.into()),
                None => {
                    ChargeState::Unfinished(ChargeError::NoVerdict(GatewayError::not_recorded()))
                }
            };
        }
        order_log::info("payment finished", group.iter().filter_map(finished));
        group
    }
}

/// Exposes the number of orders in flight.
fn expose_room(room: &Arc<Semaphore>, orders_max: u16, runtime: &Runtime) {
    let metrics: GatewayMetrics = runtime.metrics.get();
    let (room, in_flight) = (room.clone(), metrics.in_flight);
    metrics.in_flight_max.set(orders_max.into());
    runtime.metrics.on_scrape(move || {
        let free = i64::try_from(room.available_permits()).unwrap_or(i64::MAX);
        in_flight.set(i64::from(orders_max).saturating_sub(free));
    });
}

fn finish_payment(charge: &ChargeAttempt) -> Option<FinishPayment> {
    match &charge.state {
        ChargeState::Answered { verdict, attempt, .. } => Some(FinishPayment {
            order_id: charge.request.order_id,
            verdict: verdict.clone(),
            attempt: *attempt,
        }),
        ChargeState::Finished { .. } | ChargeState::Unfinished(_) | ChargeState::Superseded => None,
    }
}
