//! The settings of order-management.

use std::time::Duration;

use amqp::{BrokerRole, BrokerSettings, WorkQueue};
use amqp::{read_reconcile_after, read_retry_delays, read_signing_keys};
use log_shipping::ShippingSettings;
use messages::SigningKeys;
use service::{Env, ProcessSettings, Setting, read_trace_settings};
use telemetry::trace::TraceSettings;

const PORT: Setting = Setting {
    name: "PORT",
    unit: "TCP port",
    help: "Serves the API and Swagger UI; 0 takes any free port.",
};
const HTTP_WORKERS: Setting =
    Setting { name: "HTTP_WORKERS", unit: "threads", help: "Threads that serve HTTP." };
const HTTP_CONNECTIONS_MAX: Setting = Setting {
    name: "HTTP_CONNECTIONS_MAX",
    unit: "connections",
    help: "Largest number of connected clients; more wait to be accepted. Keep it below the limit \
           of open files (ulimit -n) by 100 or more.",
};
const INTAKE_MAX: Setting = Setting {
    name: "INTAKE_MAX",
    unit: "orders",
    help: "Largest number of orders that wait for a commit; past that POST /orders answers 503.",
};
const LEASE: Setting = Setting {
    name: "OUTBOX_LEASE_MS",
    unit: "milliseconds",
    help: "Time in which an order belongs to the process that placed it, before another one may \
           relay it.",
};
const SWEEP: Setting = Setting {
    name: "OUTBOX_SWEEP_MS",
    unit: "milliseconds",
    help: "Interval between two sweeps of the outbox for orders that a dead process left behind.",
};
const SHUTDOWN_DELAY: Setting = Setting {
    name: "SHUTDOWN_DELAY_MS",
    unit: "milliseconds",
    help: "Time in which requests are still served after SIGTERM while /health/ready answers 503, \
           so that a balancer sends the next ones elsewhere; comes before DRAIN_TIMEOUT_MS, and a \
           second signal ends it.",
};

/// The settings of order-management.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) process: ProcessSettings,
    pub(crate) broker: BrokerSettings,
    pub(crate) log_shipping: ShippingSettings,
    pub(crate) shop: db::Settings,
    /// The payments database, read only, for timelines.
    pub(crate) payments: db::Settings,
    pub(crate) port: u16,
    pub(crate) http_workers: usize,
    pub(crate) http_connections_max: usize,
    pub(crate) intake_max: usize,
    /// Time between SIGTERM and the stop.
    pub(crate) shutdown_delay: Duration,
    pub(crate) outbox: OutboxSettings,
    pub(crate) reconcile: ReconcileSettings,
    pub(crate) trace: TraceSettings,
}

/// Times of the relay.
#[derive(Clone, Debug)]
pub(crate) struct OutboxSettings {
    /// Time in which an outbox row belongs to the process that claimed it.
    pub(crate) lease: Duration,
    /// Pause between two sweeps that found nothing.
    pub(crate) sweep: Duration,
    /// The keys that sign requests, if they are signed.
    pub(crate) signing: Option<SigningKeys>,
}

/// Settings of the reconciler.
#[derive(Clone, Debug)]
pub(crate) struct ReconcileSettings {
    /// Time after which an overdue order is re-requested.
    pub(crate) after: Duration,
    /// Every queue in which a request or a result may wait.
    pub(crate) queues: Vec<String>,
    /// The queues of requests and results, with all their retry queues.
    pub(crate) work_queues: Vec<WorkQueue>,
}

impl Config {
    /// The settings that every program has.
    pub fn process(&self) -> &ProcessSettings {
        &self.process
    }

    /// Reads all settings; the wrong ones are noted in `env`.
    pub fn read(env: &mut Env) -> Config {
        const APP: &str = "order-management";
        let retry_delays = read_retry_delays(env);
        let role = BrokerRole {
            app: APP,
            send: "processingorders",
            receive: "processedorders",
            send_retry_delays: retry_delays.clone(),
            retry_delays: Vec::new(),
        };
        let broker = BrokerSettings::read(env, role).with_management(env);
        let requests = WorkQueue { retry_delays, ..broker.send.clone() };
        let results = broker.receive.clone();
        let (shop, payments) = db::Settings::read_both(env, APP);
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Config {
            port: env.number(&PORT, 3000, 0..=u16::MAX),
            process: ProcessSettings::read(env, 9100),
            log_shipping: ShippingSettings::read(env, &broker),
            broker,
            shop,
            payments,
            http_workers: env.number(&HTTP_WORKERS, cores, 1..=256),
            http_connections_max: env.number(&HTTP_CONNECTIONS_MAX, 900, 1..=1_000_000),
            trace: read_trace_settings(env),
            intake_max: env.number(&INTAKE_MAX, 4096, 1..=1_000_000),
            shutdown_delay: env.millis(&SHUTDOWN_DELAY, 3_000, 0..=600_000),
            outbox: OutboxSettings {
                lease: env.millis(&LEASE, 5_000, 100..=3_600_000),
                sweep: env.millis(&SWEEP, 500, 10..=60_000),
                signing: read_signing_keys(env),
            },
            reconcile: ReconcileSettings {
                after: read_reconcile_after(env),
                queues: requests.all().into_iter().chain([results.name.clone()]).collect(),
                work_queues: vec![requests, results],
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
