//! **charge**: from a payment request to a recorded verdict.
//!
//! The payment is recorded as started before the gateway is asked and as finished after it has
//! answered. Whatever dies in between, the next delivery finds the row and asks the gateway
//! again under the same key.

use std::time::Duration;

use common::domain::{PaymentId, Verdict};
use common::message::PaymentRequest;
use common::runtime::{Gather, GatherLimits, Metrics, ResultLabels, Station, Tasks};
use db::payments::{Finishing, Payment, Started, Starting};
use db::{Db, payments, until_stored};

use crate::gateway::{Asked, Charge, Gateway};

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

/// Charges orders.
#[derive(Debug)]
pub(crate) struct Charges {
    start: Gather<Start>,
    finish: Gather<Finish>,
    gateway: Gateway,
    timeout: Duration,
    metrics: Metrics,
}

impl Charges {
    /// Opens the two stations in front of the payment tables. `timeout` is how long the gateway
    /// may take for one answer.
    pub(crate) fn open(
        db: &Db,
        gateway: Gateway,
        timeout: Duration,
        (tasks, metrics): (&Tasks, &Metrics),
    ) -> Charges {
        Charges {
            start: Gather::open(Start(db.clone()), LIMITS, tasks, metrics),
            finish: Gather::open(Finish(db.clone()), LIMITS, tasks, metrics),
            gateway,
            timeout,
            metrics: metrics.clone(),
        }
    }

    /// Charges one order, unless it has been charged already.
    pub(crate) async fn charge(&self, request: &PaymentRequest) -> Result<Charged, ChargeError> {
        let starting = Starting {
            order_id: request.order_id,
            payment_id: PaymentId::new(),
            amount: request.total,
            currency: request.currency,
            payment_method: request.payment_method.clone(),
        };
        let (payment, verdict) = match until_stored(&self.start, starting).await? {
            Started::Again(Payment { id, verdict: Some(verdict), .. }) => {
                return Ok(Charged { payment_id: id, verdict });
            }
            Started::First(payment) => {
                let charge = charge_of(request, &payment);
                let verdict = self.ask(self.gateway.charge(&charge)).await;
                (payment, verdict)
            }
            Started::Again(payment) => {
                let charge = charge_of(request, &payment);
                let verdict = match self.ask(self.gateway.look_up(&charge)).await {
                    Ok(Some(verdict)) => Ok(verdict),
                    Ok(None) => self.ask(self.gateway.charge(&charge)).await,
                    Err(no_verdict) => Err(no_verdict),
                };
                (payment, verdict)
            }
        };
        self.count(verdict.as_ref().ok());
        let finishing = Finishing { order_id: request.order_id, verdict: verdict? };
        let said = finishing.verdict.clone();
        let verdict = until_stored(&self.finish, finishing).await?;
        if verdict != said {
            log::error!(order:% = request.order_id; "the gateway said {said:?} after {verdict:?}");
        }
        Ok(Charged { payment_id: payment.id, verdict })
    }

    /// The gateway's answer, if it comes in time.
    async fn ask<T>(&self, answer: impl Future<Output = Asked<T>>) -> Result<T, ChargeError> {
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(ChargeError::NoVerdict(why.0)),
            Err(_) => Err(ChargeError::NoVerdict("no answer in time")),
        }
    }

    fn count(&self, verdict: Option<&Verdict>) {
        let outcome = match verdict {
            Some(Verdict::Captured) => "captured",
            Some(Verdict::Declined(_)) => "declined",
            None => "unknown",
        };
        self.metrics.charges.get_or_create(&ResultLabels { outcome }).inc();
    }
}

/// What is charged is what was recorded first: a second request for the same order changes
/// nothing of it.
fn charge_of(request: &PaymentRequest, payment: &Payment) -> Charge {
    let asked = (request.total, request.currency, &request.payment_method);
    if asked != (payment.amount, payment.currency, &payment.payment_method) {
        log::error!(order:% = request.order_id; "requested again with other terms: ignored");
    }
    Charge {
        key: request.order_id.to_string(),
        order_id: request.order_id,
        amount: payment.amount,
        currency: payment.currency,
        payment_method: payment.payment_method.clone(),
    }
}

#[derive(Debug)]
struct Start(Db);

impl Station for Start {
    const NAME: &'static str = "charge_start";
    type Item = Starting;
    type Done = Started;
    type Fault = db::Error;

    async fn run(&self, batch: &[Starting]) -> Result<Vec<Started>, db::Error> {
        payments::start(&self.0, batch).await
    }

    fn may_blame_an_item(fault: &db::Error) -> bool {
        matches!(fault, db::Error::Refused(_))
    }
}

#[derive(Debug)]
struct Finish(Db);

impl Station for Finish {
    const NAME: &'static str = "charge_finish";
    type Item = Finishing;
    type Done = Verdict;
    type Fault = db::Error;

    async fn run(&self, batch: &[Finishing]) -> Result<Vec<Verdict>, db::Error> {
        payments::finish(&self.0, batch).await
    }

    fn may_blame_an_item(fault: &db::Error) -> bool {
        matches!(fault, db::Error::Refused(_))
    }
}
