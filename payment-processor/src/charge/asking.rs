//! Asking the gateway: how long, and what is counted of it.

use std::time::{Duration, Instant};

use common::domain::Verdict;
use common::runtime::crash_point::reach;
use common::runtime::{Calls, CrashPoint, GatewayMetrics, Metrics};

use super::ChargeError;
use crate::gateway::Asked;

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
}

/// What the gateway may say.
pub(super) trait Answer {
    /// The calls that are answered with it.
    fn calls(numbers: &GatewayMetrics) -> &Calls;
    /// Counts this answer.
    fn count(&self, numbers: &GatewayMetrics);
}

/// To a charge.
impl Answer for Verdict {
    fn calls(numbers: &GatewayMetrics) -> &Calls {
        &numbers.charge
    }

    fn count(&self, numbers: &GatewayMetrics) {
        count_verdict(self, &numbers.charge);
    }
}

/// To a look-up.
impl Answer for Option<Verdict> {
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
    pub(super) fn new(timeout: Duration, metrics: &Metrics) -> Asking {
        Asking { timeout, numbers: metrics.gateway.clone() }
    }

    /// The gateway's answer, if it comes in time.
    pub(super) async fn ask<T: Answer>(
        &self,
        answer: impl Future<Output = Asked<T>>,
    ) -> Result<T, ChargeError> {
        reach(CrashPoint::ChargeAsking);
        let calls = T::calls(&self.numbers);
        let begun = Instant::now();
        let answered = tokio::time::timeout(self.timeout, answer).await;
        calls.took.observe(begun.elapsed().as_secs_f64());
        let answered = match answered {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(ChargeError::NoVerdict(why.0)),
            Err(_) => Err(ChargeError::NoVerdict("no answer in time")),
        };
        match &answered {
            Ok(answer) => answer.count(&self.numbers),
            Err(_) => {
                calls.unknown.inc();
            }
        }
        answered
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
