//! What order management can be told.

use std::time::Duration;

use common::broker::{BrokerRole, BrokerSettings};
use common::runtime::{Env, ProcessSettings, Setting};

const PORT: Setting = Setting {
    name: "PORT",
    unit: "TCP port",
    help: "Serves the API and Swagger UI; 0 takes any free port.",
};
const HTTP_WORKERS: Setting =
    Setting { name: "HTTP_WORKERS", unit: "threads", help: "How many threads serve HTTP." };
const HTTP_CONNECTIONS_MAX: Setting = Setting {
    name: "HTTP_CONNECTIONS_MAX",
    unit: "connections",
    help: "How many clients may be connected at a time; more wait to be accepted. Keep it below the \
           limit of open files (ulimit -n) by 100 or more.",
};
const INTAKE_MAX: Setting = Setting {
    name: "INTAKE_MAX",
    unit: "orders",
    help: "How many orders may wait to be stored; past that POST /orders answers 503.",
};
const LEASE: Setting = Setting {
    name: "OUTBOX_LEASE_MS",
    unit: "milliseconds",
    help: "How long an order belongs to the process that placed it, before another one may \
           relay it.",
};
const SWEEP: Setting = Setting {
    name: "OUTBOX_SWEEP_MS",
    unit: "milliseconds",
    help: "How often the outbox is searched for orders that a dead process left behind.",
};

const SHUTDOWN_DELAY: Setting = Setting {
    name: "SHUTDOWN_DELAY_MS",
    unit: "milliseconds",
    help: "How long requests are still taken after SIGTERM while /health/ready answers 503, so that \
           a balancer sends the next ones elsewhere; comes before DRAIN_TIMEOUT_MS, and a second \
           signal ends it.",
};

/// What order management can be told.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) process: ProcessSettings,
    pub(crate) broker: BrokerSettings,
    pub(crate) shop: db::Settings,
    pub(crate) port: u16,
    pub(crate) http_workers: usize,
    pub(crate) http_connections_max: usize,
    pub(crate) intake_max: usize,
    /// Between saying that the process leaves and leaving.
    pub(crate) shutdown_delay: Duration,
    pub(crate) outbox: OutboxSettings,
}

/// How patient the relay is with itself and with other processes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutboxSettings {
    /// How long an entry belongs to whoever took it.
    pub(crate) lease: Duration,
    /// The pause between two searches that found nothing.
    pub(crate) sweep: Duration,
}

impl AsRef<ProcessSettings> for Config {
    fn as_ref(&self) -> &ProcessSettings {
        &self.process
    }
}

impl Config {
    /// Reads all of it; what is wrong stays in `env`.
    pub fn read(env: &mut Env) -> Config {
        const APP: &str = "order-management";
        let role = BrokerRole {
            app: APP,
            send: "processingorders",
            receive: "processedorders",
            retry_delays: Vec::new(),
        };
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Config {
            port: env.number(&PORT, 3000, 0..=u16::MAX),
            process: ProcessSettings::read(env, 9100),
            broker: BrokerSettings::read(env, role),
            shop: db::Settings::read(env, APP),
            http_workers: env.number(&HTTP_WORKERS, cores, 1..=256),
            http_connections_max: env.number(&HTTP_CONNECTIONS_MAX, 900, 1..=1_000_000),
            intake_max: env.number(&INTAKE_MAX, 4096, 1..=1_000_000),
            shutdown_delay: env.millis(&SHUTDOWN_DELAY, 3_000, 0..=600_000),
            outbox: OutboxSettings {
                lease: env.millis(&LEASE, 5_000, 100..=3_600_000),
                sweep: env.millis(&SWEEP, 500, 10..=60_000),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_environment_is_enough() {
        let mut env = Env::of([]);
        Config::read(&mut env);
        env.finish().unwrap();
    }
}
