//! The way to the company that moves the money. Two verbs: charge under a key, look up a key.
//! Both may be asked as often as one likes; under one key money moves at most once.

mod simulated;

use std::time::Duration;

use common::domain::{Amount, Currency, OrderId, PaymentMethod, Verdict};
use common::runtime::{Env, Metrics, Setting, Tasks};
use db::Db;
use simulated::Simulated;

const TIMEOUT: Setting = Setting {
    name: "GATEWAY_TIMEOUT_MS",
    unit: "milliseconds",
    help: "How long the gateway may take for one answer; after that the charge is unknown.",
};
const LATENCY: Setting = Setting {
    name: "GATEWAY_LATENCY_MS",
    unit: "milliseconds",
    help: "How long the simulated gateway takes for one answer.",
};
const JITTER: Setting = Setting {
    name: "GATEWAY_JITTER_MS",
    unit: "milliseconds",
    help: "By how much that varies, up and down.",
};

/// How to reach the gateway.
#[derive(Clone, Debug)]
pub(crate) struct GatewaySettings {
    /// How long it may take for one answer.
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

/// Money to be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    /// Names this charge, however often it is asked for.
    pub(crate) key: String,
    /// What it is for.
    pub(crate) order_id: OrderId,
    /// How much.
    pub(crate) amount: Amount,
    /// In which currency.
    pub(crate) currency: Currency,
    /// With what; without one the gateway takes its default.
    pub(crate) payment_method: Option<PaymentMethod>,
}

/// The gateway did not say how a charge ended, only why it does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoAnswer(pub(crate) &'static str);

/// An answer of the gateway's, or none.
pub(crate) type Asked<T> = Result<T, NoAnswer>;

/// The gateway in use.
#[derive(Debug)]
pub(crate) enum Gateway {
    /// The one that comes with Ordermill.
    Simulated(Simulated),
}

impl Gateway {
    /// Opens the gateway that the settings name.
    pub(crate) fn open(
        settings: &GatewaySettings,
        db: &Db,
        (tasks, metrics): (&Tasks, &Metrics),
    ) -> Gateway {
        Gateway::Simulated(Simulated::open(settings, db, (tasks, metrics)))
    }

    /// Moves the money unless this key has moved it before, and says how it ended. May be
    /// dropped at any await; the money has then moved or not.
    pub(crate) async fn charge(&self, charge: &Charge) -> Asked<Verdict> {
        match self {
            Gateway::Simulated(simulated) => simulated.charge(charge).await,
        }
    }

    /// How the charge under this key ended; `None` if the key is not known. Moves no money.
    pub(crate) async fn look_up(&self, charge: &Charge) -> Asked<Option<Verdict>> {
        match self {
            Gateway::Simulated(simulated) => simulated.look_up(charge).await,
        }
    }
}
