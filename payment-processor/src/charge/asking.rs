//! Asking the gateway: how long, and what is counted of it.

use std::time::{Duration, Instant};

use common::domain::{GatewayCall, Verdict, WorkerName};
use common::message::PaymentRequest;
use common::runtime::crash_point::reach;
use common::runtime::{Calls, CrashPoint, GatewayMetrics, Gather, GatherLimits, Metrics, Tasks};
use common::trace;
use db::Db;
use db::payments::Unanswered;

use super::stations::NoteUnanswered;
use super::told::asked;
use super::{ChargeError, LIMITS};
use crate::gateway::{Asked, NoAnswer};

/// The bounds of charging.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChargeLimits {
    /// How long the gateway may take for one answer.
    pub(crate) timeout: Duration,
    /// How many orders are in work at the same time.
    pub(crate) orders_max: u16,
}

/// Asks, and not for ever.
#[derive(Debug)]
pub(super) struct Asking {
    timeout: Duration,
    numbers: GatewayMetrics,
    unanswered: Gather<NoteUnanswered>,
}

/// What the gateway may say.
pub(super) trait Answer {
    /// What is asked.
    const CALL: GatewayCall;
    /// The calls that are answered with it.
    fn calls(numbers: &GatewayMetrics) -> &Calls;
    /// Counts this answer.
    fn count(&self, numbers: &GatewayMetrics);
}

/// To a charge.
impl Answer for Verdict {
    const CALL: GatewayCall = GatewayCall::Charge;

    fn calls(numbers: &GatewayMetrics) -> &Calls {
        &numbers.charge
    }

    fn count(&self, numbers: &GatewayMetrics) {
        count_verdict(self, &numbers.charge);
    }
}

/// To a look-up.
impl Answer for Option<Verdict> {
    const CALL: GatewayCall = GatewayCall::LookUp;

    fn calls(numbers: &GatewayMetrics) -> &Calls {
        &numbers.look_up
    }

    fn count(&self, numbers: &GatewayMetrics) {
        match self {
            Some(verdict) => count_verdict(verdict, &numbers.look_up),
            None => {
                numbers.not_found.inc();
            }
        }
    }
}

fn count_verdict(verdict: &Verdict, calls: &Calls) {
    match verdict {
        Verdict::Captured => calls.captured.inc(),
        Verdict::Declined(_) => calls.declined.inc(),
    };
}

impl Asking {
    pub(super) fn open(
        (db, worker): (&Db, &WorkerName),
        timeout: Duration,
        (tasks, metrics): (&Tasks, &Metrics),
    ) -> Asking {
        let station = NoteUnanswered(db.clone(), worker.clone());
        let limits = GatherLimits { in_flight_max: 1, ..LIMITS };
        let unanswered = Gather::open(station, limits, tasks, metrics);
        Asking { timeout, numbers: metrics.gateway.clone(), unanswered }
    }

    /// The gateway's answer, if it comes in time. That none came is noted down if there is room.
    pub(super) async fn ask<T: Answer>(
        &self,
        (request, attempt): (&PaymentRequest, i32),
        answer: impl Future<Output = Asked<T>>,
    ) -> Result<T, ChargeError> {
        reach(CrashPoint::ChargeAsking);
        let calls = T::calls(&self.numbers);
        let span = trace::child(request.traceparent);
        let begun = Instant::now();
        let answered = tokio::time::timeout(self.timeout, answer).await;
        calls.took.observe(begun.elapsed().as_secs_f64());
        let answered = answered.unwrap_or(Err(NoAnswer("no answer in time")));
        match &answered {
            Ok(answer) => answer.count(&self.numbers),
            Err(NoAnswer(why)) => {
                calls.unknown.inc();
                let (order_id, call) = (request.order_id, T::CALL);
                self.unanswered.leave_all(vec![Unanswered { order_id, attempt, call, why }]);
            }
        }
        if let Some(span) = span {
            span.end(asked(T::CALL, request, answered.as_ref().err()));
        }
        answered.map_err(|why| ChargeError::NoVerdict(why.0))
    }

    /// What came of an order that was asked for, however many calls that took.
    pub(super) fn count(&self, verdict: Option<&Verdict>) {
        let charges = &self.numbers.charges;
        let counter = match verdict {
            Some(Verdict::Captured) => &charges.captured,
            Some(Verdict::Declined(_)) => &charges.declined,
            None => &charges.unknown,
        };
        counter.inc();
    }
}
