//! A gateway that moves no money but behaves as one that does: it takes its time, declines, errs,
//! stays silent, and keeps a durable ledger of captures by key.

use std::time::Duration;

use common::domain::{Amount, PaymentMethod, Reason, Verdict};
use common::runtime::crash_point::reach;
use common::runtime::{CrashPoint, Gather, GatherLimits, Metrics, NotGathered, Station, Tasks};
use db::gateway_ledger::{self, Capture};
use db::{Db, Error};
use rand::RngExt as _;

use super::{Asked, Charge, GatewaySettings, NoAnswer};

/// Totals above 1000.00 are declined.
const LIMIT_MINOR: i64 = 100_000;
/// How often the method that errs does so before it works.
const ERRORS: i32 = 2;
const LIMITS: GatherLimits = GatherLimits { waiting_max: 8192, batch_max: 1000, in_flight_max: 2 };

/// What a payment method makes the gateway do. The names are Stripe's, where Stripe has one
/// (<https://docs.stripe.com/testing>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Pays,
    IsDeclined(&'static str),
    ErrsTwice,
    NeverAnswers,
    CapturesAndFallsSilent,
}

impl Manner {
    fn of(method: Option<&PaymentMethod>) -> Manner {
        match method.map(PaymentMethod::as_str) {
            None | Some("pm_card_visa" | "pm_card_mastercard") => Manner::Pays,
            Some("pm_card_chargeDeclined") => Manner::IsDeclined("card_declined"),
            Some("pm_card_errorsTwice") => Manner::ErrsTwice,
            Some("pm_card_neverAnswers") => Manner::NeverAnswers,
            Some("pm_card_captureThenTimeout") => Manner::CapturesAndFallsSilent,
            Some(_) => Manner::IsDeclined("unknown_payment_method"),
        }
    }
}

/// The simulated gateway.
#[derive(Debug)]
pub(crate) struct Simulated {
    ledger: Db,
    captures: Gather<Captures>,
    latency: Duration,
    jitter: Duration,
}

impl Simulated {
    pub(super) fn open(
        settings: &GatewaySettings,
        ledger: &Db,
        (tasks, metrics): (&Tasks, &Metrics),
    ) -> Simulated {
        Simulated {
            ledger: ledger.clone(),
            captures: Gather::open(Captures(ledger.clone()), LIMITS, tasks, metrics),
            latency: settings.latency,
            jitter: settings.jitter,
        }
    }

    pub(super) async fn charge(&self, charge: &Charge) -> Asked<Verdict> {
        self.take_time().await;
        let manner = Manner::of(charge.payment_method.as_ref());
        match manner {
            Manner::IsDeclined(reason) => Ok(declined(reason)),
            _ if too_much(charge.amount) => Ok(declined("insufficient_funds")),
            Manner::Pays => self.capture(charge).await,
            Manner::ErrsTwice => {
                let tries = gateway_ledger::attempt(&self.ledger, &charge.key).await;
                if tries.map_err(no_answer)? <= ERRORS {
                    return Err(NoAnswer("the gateway answered with an error"));
                }
                self.capture(charge).await
            }
            Manner::NeverAnswers => std::future::pending().await,
            Manner::CapturesAndFallsSilent => {
                self.capture(charge).await?;
                std::future::pending().await
            }
        }
    }

    pub(super) async fn look_up(&self, charge: &Charge) -> Asked<Option<Verdict>> {
        self.take_time().await;
        let keys = [charge.key.clone()];
        let captured = gateway_ledger::captured(&self.ledger, &keys).await.map_err(no_answer)?;
        let verdict = captured.contains(&charge.key).then_some(Verdict::Captured);
        if verdict.is_none() {
            reach(CrashPoint::ChargeLookedUp);
        }
        Ok(verdict)
    }

    async fn capture(&self, charge: &Charge) -> Asked<Verdict> {
        let capture = Capture {
            key: charge.key.clone(),
            order_id: charge.order_id,
            amount: charge.amount,
            currency: charge.currency,
        };
        match self.captures.submit(capture).await {
            Ok(()) => Ok(Verdict::Captured),
            Err(NotGathered::Failed(error)) => Err(no_answer(error)),
            Err(NotGathered::Full | NotGathered::Closed) => Err(NoAnswer("the gateway is closed")),
        }
    }

    async fn take_time(&self) {
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

fn no_answer(error: Error) -> NoAnswer {
    log::warn!("the simulated gateway cannot reach its ledger: {error}");
    NoAnswer("the gateway is away")
}

#[derive(Debug)]
struct Captures(Db);

impl Station for Captures {
    const NAME: &'static str = "gateway_capture";
    type Item = Capture;
    type Done = ();
    type Fault = Error;

    async fn run(&self, batch: &[Capture]) -> Result<Vec<()>, Error> {
        gateway_ledger::capture(&self.0, batch).await?;
        reach(CrashPoint::ChargeCaptured);
        Ok(vec![(); batch.len()])
    }

    fn may_blame_an_item(fault: &Error) -> bool {
        matches!(fault, Error::Refused(_))
    }
}
