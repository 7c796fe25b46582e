//! The gateway: the company that moves the money. It has two verbs: charge under a key, and look up
//! a key. Both may be called any number of times; under one key money moves at most once.

mod simulated;

use std::fmt;
use std::time::Duration;

use db::Db;
use domain::{Amount, Currency, OrderId, PaymentMethod, Verdict};
use service::{Env, Runtime, Setting};

use self::simulated::Simulated;

const TIMEOUT: Setting = Setting {
    name: "GATEWAY_TIMEOUT_MS",
    unit: "milliseconds",
    help: "Time for one answer of the gateway; after that the charge is unknown.",
};
const LATENCY: Setting = Setting {
    name: "GATEWAY_LATENCY_MS",
    unit: "milliseconds",
    help: "Time that the simulated gateway takes for one answer.",
};
const JITTER: Setting = Setting {
    name: "GATEWAY_JITTER_MS",
    unit: "milliseconds",
    help: "Variation of GATEWAY_LATENCY_MS, up and down.",
};

/// Settings of the gateway.
#[derive(Clone, Debug)]
pub(crate) struct GatewaySettings {
    /// Time for one answer.
    pub(crate) timeout: Duration,
    latency: Duration,
    jitter: Duration,
}

impl GatewaySettings {
    pub(crate) fn read(env: &mut Env) -> GatewaySettings {
        GatewaySettings {
            timeout: env.millis(&TIMEOUT, 10_000, 1..=600_000),
            latency: env.millis(&LATENCY, 50, 0..=600_000),
            jitter: env.millis(&JITTER, 0, 0..=600_000),
        }
    }
}

/// A charge: money to be captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    /// The key of this charge, the same at every call.
    pub(crate) key: String,
    /// The order.
    pub(crate) order_id: OrderId,
    /// The amount.
    pub(crate) amount: Amount,
    /// The currency.
    pub(crate) currency: Currency,
    /// The payment method; without one the gateway uses its default.
    pub(crate) payment_method: Option<PaymentMethod>,
}

/// The gateway gave no answer, or one without a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GatewayError {
    pub(crate) kind: GatewayErrorKind,
    /// A constant text for people, logs and timelines.
    pub(crate) detail: &'static str,
}

/// The kinds of missing answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GatewayErrorKind {
    /// No answer came within the time limit.
    TimedOut,
    /// The gateway answered with an error.
    Failed,
    /// The gateway, or the record of its answer, is not available.
    Unavailable,
}

impl GatewayError {
    pub(crate) const fn timed_out() -> GatewayError {
        GatewayError { kind: GatewayErrorKind::TimedOut, detail: "no answer in time" }
    }

    pub(crate) const fn failed() -> GatewayError {
        let detail = "the gateway answered with an error";
        GatewayError { kind: GatewayErrorKind::Failed, detail }
    }

    pub(crate) const fn unavailable(detail: &'static str) -> GatewayError {
        GatewayError { kind: GatewayErrorKind::Unavailable, detail }
    }

    /// The verdict arrived and was not recorded.
    pub(crate) const fn not_recorded() -> GatewayError {
        GatewayError::unavailable("nothing was recorded")
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail)
    }
}

/// An answer of the gateway, or none.
pub(crate) type GatewayResult<T> = Result<T, GatewayError>;

/// The gateway in use.
#[derive(Debug)]
pub(crate) enum Gateway {
    /// The one that is part of Ordermill.
    Simulated(Simulated),
}

impl Gateway {
    /// Opens the gateway that the settings name.
    pub(crate) fn open(settings: &GatewaySettings, db: &Db, runtime: &Runtime) -> Gateway {
        Gateway::Simulated(Simulated::open(settings, db, runtime))
    }

    /// Captures the money unless this key has captured it before. Returns the verdict. May be
    /// dropped at any await; the money may then be captured or not.
    pub(crate) async fn charge(&self, charge: &Charge) -> GatewayResult<Verdict> {
        match self {
            Gateway::Simulated(simulated) => simulated.charge(charge).await,
        }
    }

    /// The verdict on the charge under this key; `None` if the key is unknown. Captures nothing.
    pub(crate) async fn look_up(&self, charge: &Charge) -> GatewayResult<Option<Verdict>> {
        match self {
            Gateway::Simulated(simulated) => simulated.look_up(charge).await,
        }
    }
}
