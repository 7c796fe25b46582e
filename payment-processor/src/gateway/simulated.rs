//! A gateway that moves no money and otherwise behaves like one that does: it has latency, declines,
//! fails, stays silent, and keeps a durable ledger of captures by key.

use std::time::Duration;

use batcher::{BatchHandler, BatchLimits, Batcher, SubmitError};
use db::gateway_ledger::{self, Capture};
use db::{Db, Error};
use domain::{Amount, PaymentMethod, Reason, Verdict};
use rand::RngExt as _;
use service::Runtime;
use service::crash_point::reach;

use super::{Charge, GatewayError, GatewayResult, GatewaySettings};
use crate::crash_points;

/// Totals above 1000.00 are declined.
const LIMIT_MINOR: i64 = 100_000;
/// Number of failures of the method that fails, before it works.
const ERRORS: i32 = 2;
const LIMITS: BatchLimits = BatchLimits { waiting_max: 8192, batch_max: 1000, in_flight_max: 2 };

/// The behaviour that a payment method selects. The names are Stripe's, where Stripe has one
/// (<https://docs.stripe.com/testing>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TestCard {
    Pays,
    IsDeclined(&'static str),
    ErrsTwice,
    NeverAnswers,
    CapturesAndStaysSilent,
}

impl TestCard {
    fn from_method(method: Option<&PaymentMethod>) -> TestCard {
        match method.map(PaymentMethod::as_str) {
            None | Some("pm_card_visa" | "pm_card_mastercard") => TestCard::Pays,
            Some("pm_card_chargeDeclined") => TestCard::IsDeclined("card_declined"),
            Some("pm_card_errorsTwice") => TestCard::ErrsTwice,
            Some("pm_card_neverAnswers") => TestCard::NeverAnswers,
            Some("pm_card_captureThenTimeout") => TestCard::CapturesAndStaysSilent,
            Some(_) => TestCard::IsDeclined("unknown_payment_method"),
        }
    }
}

/// The simulated gateway.
#[derive(Debug)]
pub(crate) struct Simulated {
    ledger: Db,
    captures: Batcher<CaptureBatch>,
    latency: Duration,
    jitter: Duration,
}

impl Simulated {
    pub(super) fn open(settings: &GatewaySettings, ledger: &Db, runtime: &Runtime) -> Simulated {
        Simulated {
            ledger: ledger.clone(),
            captures: Batcher::open(CaptureBatch(ledger.clone()), LIMITS, runtime),
            latency: settings.latency,
            jitter: settings.jitter,
        }
    }

    pub(super) async fn charge(&self, charge: &Charge) -> GatewayResult<Verdict> {
        self.pause().await;
        let card = TestCard::from_method(charge.payment_method.as_ref());
        match card {
            TestCard::IsDeclined(reason) => Ok(declined(reason)),
            _ if too_much(charge.amount) => Ok(declined("insufficient_funds")),
            TestCard::Pays => self.capture(charge).await,
            TestCard::ErrsTwice => {
                let tries = gateway_ledger::attempt(&self.ledger, &charge.key).await;
                if tries.map_err(ledger_unavailable)? <= ERRORS {
                    return Err(GatewayError::failed());
                }
                self.capture(charge).await
            }
            TestCard::NeverAnswers => std::future::pending().await,
            TestCard::CapturesAndStaysSilent => {
                self.capture(charge).await?;
                std::future::pending().await
            }
        }
    }

    pub(super) async fn look_up(&self, charge: &Charge) -> GatewayResult<Option<Verdict>> {
        self.pause().await;
        let keys = [charge.key.clone()];
        let captured =
            gateway_ledger::captured(&self.ledger, &keys).await.map_err(ledger_unavailable)?;
        let verdict = captured.contains(&charge.key).then_some(Verdict::Captured);
        if verdict.is_none() {
            reach(crash_points::CHARGE_LOOKED_UP);
        }
        Ok(verdict)
    }

    async fn capture(&self, charge: &Charge) -> GatewayResult<Verdict> {
        let capture = Capture {
            key: charge.key.clone(),
            order_id: charge.order_id,
            amount: charge.amount,
            currency: charge.currency,
        };
        match self.captures.submit(capture).await {
            Ok(()) => Ok(Verdict::Captured),
            Err(SubmitError::Failed(error)) => Err(ledger_unavailable(error)),
            Err(SubmitError::Full | SubmitError::Closed) => {
                Err(GatewayError::unavailable("the gateway is closed"))
            }
        }
    }

    async fn pause(&self) {
        let spread = self.jitter.mul_f64(rand::rng().random_range(0.0..=2.0));
        let delay = (self.latency + spread).saturating_sub(self.jitter);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }
}

fn too_much(amount: Amount) -> bool {
    amount.minor() > LIMIT_MINOR
}

fn declined(reason: &str) -> Verdict {
    Verdict::Declined(Some(Reason::from_text(reason)))
}

fn ledger_unavailable(error: Error) -> GatewayError {
    log::warn!("the simulated gateway cannot reach its ledger: {error}");
    GatewayError::unavailable("the gateway is away")
}

#[derive(Debug)]
struct CaptureBatch(Db);

impl BatchHandler for CaptureBatch {
    const NAME: &'static str = "gateway_capture";
    type Item = Capture;
    type Output = ();
    type Error = Error;

    async fn run(&self, batch: &[Capture]) -> Result<Vec<()>, Error> {
        gateway_ledger::capture(&self.0, batch).await?;
        reach(crash_points::CHARGE_CAPTURED);
        Ok(vec![(); batch.len()])
    }

    fn may_blame_an_item(fault: &Error) -> bool {
        matches!(fault, Error::Refused(_))
    }
}
