//! Asking the gateway: the time limit, and what is counted, noted and traced of a call.

use std::time::{Duration, Instant};

use batcher::{BatchLimits, Batcher};
use db::payments::Unanswered;
use domain::{GatewayCall, Verdict};
use messages::PaymentRequest;
use service::Runtime;
use service::crash_point::reach;
use telemetry::metrics::Histogram;
use telemetry::trace;

use super::attempt::{ChargeError, LIMITS, PaymentStore};
use super::batches::NoteUnanswered;
use super::logging::span_of_call;
use crate::crash_points;
use crate::gateway::{GatewayError, GatewayResult};
use crate::metrics::{CallOutcomes, GatewayMetrics};

/// Asks the gateway, with a time limit.
#[derive(Debug)]
pub(super) struct Asking {
    timeout: Duration,
    metrics: GatewayMetrics,
    unanswered: Batcher<NoteUnanswered>,
}

/// The calls of one attempt.
pub(super) struct AskingAbout<'a> {
    asking: &'a Asking,
    request: &'a PaymentRequest,
    attempt: i32,
}

/// An answer of the gateway.
pub(super) trait Answer {
    /// The call that is answered.
    const CALL: GatewayCall;
    /// The counters and the duration of these calls.
    fn metrics(metrics: &GatewayMetrics) -> (&CallOutcomes, &Histogram);
    /// Counts this answer.
    fn count(&self, metrics: &GatewayMetrics);
}

/// The answer to a charge.
impl Answer for Verdict {
    const CALL: GatewayCall = GatewayCall::Charge;

    fn metrics(metrics: &GatewayMetrics) -> (&CallOutcomes, &Histogram) {
        (&metrics.calls.charge, &metrics.durations.charge)
    }

    fn count(&self, metrics: &GatewayMetrics) {
        count_verdict(self, &metrics.calls.charge);
    }
}

/// The answer to a look-up.
impl Answer for Option<Verdict> {
    const CALL: GatewayCall = GatewayCall::LookUp;

    fn metrics(metrics: &GatewayMetrics) -> (&CallOutcomes, &Histogram) {
        (&metrics.calls.look_up, &metrics.durations.look_up)
    }

    fn count(&self, metrics: &GatewayMetrics) {
        match self {
            Some(verdict) => count_verdict(verdict, &metrics.calls.look_up),
            None => {
                metrics.calls.not_found.inc();
            }
        }
    }
}

fn count_verdict(verdict: &Verdict, calls: &CallOutcomes) {
    match verdict {
        Verdict::Captured => calls.captured.inc(),
        Verdict::Declined(_) => calls.declined.inc(),
    };
}

impl Asking {
    pub(super) fn open(store: PaymentStore, timeout: Duration, runtime: &Runtime) -> Asking {
        let limits = BatchLimits { in_flight_max: 1, ..LIMITS };
        let unanswered = Batcher::open(NoteUnanswered(store), limits, runtime);
        Asking { timeout, metrics: runtime.metrics.get(), unanswered }
    }

    pub(super) fn about<'a>(
        &'a self,
        request: &'a PaymentRequest,
        attempt: i32,
    ) -> AskingAbout<'a> {
        AskingAbout { asking: self, request, attempt }
    }

    /// Counts the outcome of an order, however many calls it took.
    pub(super) fn count(&self, verdict: Option<&Verdict>) {
        let charges = &self.metrics.charges;
        let counter = match verdict {
            Some(Verdict::Captured) => &charges.captured,
            Some(Verdict::Declined(_)) => &charges.declined,
            None => &charges.unknown,
        };
        counter.inc();
    }
}

impl AskingAbout<'_> {
    /// The gateway's answer, if it comes in time. A call without an answer is noted if there is room.
    pub(super) async fn ask<T: Answer>(
        &self,
        answer: impl Future<Output = GatewayResult<T>>,
    ) -> Result<T, ChargeError> {
        reach(crash_points::CHARGE_ASKING);
        let AskingAbout { asking, request, attempt } = *self;
        let (calls, duration) = T::metrics(&asking.metrics);
        let span = trace::child(request.traceparent);
        let started = Instant::now();
        let answered = tokio::time::timeout(asking.timeout, answer).await;
        duration.observe(started.elapsed().as_secs_f64());
        let answered = answered.unwrap_or(Err(GatewayError::timed_out()));
        match &answered {
            Ok(answer) => answer.count(&asking.metrics),
            Err(error) => {
                calls.unknown.inc();
                let (order_id, call) = (request.order_id, T::CALL);
                let unanswered = Unanswered { order_id, attempt, call, why: error.detail };
                asking.unanswered.submit_detached(vec![unanswered]);
            }
        }
        if let Some(span) = span {
            span.end(span_of_call(T::CALL, request, answered.as_ref().err()));
        }
        answered.map_err(|error| ChargeError::NoVerdict(error))
    }
}
