//! The settings of order-management.

use std::time::Duration;

use amqp::{BrokerRole, BrokerSettings, WorkQueue};
use amqp::{read_reconcile_after, read_retry_delays, read_signing_keys};
use log_shipping::ShippingSettings;
use messages::SigningKeys;
use service::{Env, HttpSettings, ProcessSettings, Setting, read_trace_settings};
use telemetry::trace::TraceSettings;

use crate::http::CorsOrigins;
use crate::swagger_switch::SwaggerUi;

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
    help: "Maximum number of clients connected at a time; further ones wait to be accepted. An idle \
           one takes up to 20 kB of memory. Lowered to what the limit of open files (ulimit -Hn) \
           leaves room for.",
};
const HTTP_KEEP_ALIVE: Setting = Setting {
    name: "HTTP_KEEP_ALIVE_S",
    unit: "seconds",
    help: "Lifetime of an idle connection. Behind a balancer it must be longer than the balancer's \
           own, or a request may meet a connection that is being closed.",
};
const SWAGGER_UI: Setting = Setting {
    name: "SWAGGER_UI",
    unit: "on or off",
    help: "Swagger UI, on PORT and on OPS_PORT. The OpenAPI document is served in any case.",
};
const READ_POOL_MAX: Setting = Setting {
    name: "POSTGRES_READ_POOL_MAX",
    unit: "connections",
    help: "Largest number of connections for GET requests, beside those of POSTGRES_POOL_MAX.",
};
const CORS_ORIGINS: Setting = Setting {
    name: "CORS_ORIGINS",
    unit: "origins",
    help: "Origins whose pages may call the API from a browser, separated by commas, or * for all; \
           without it answers have no CORS headers.",
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
           relay it; CONFIRM_TIMEOUT_MS + 5000 by default and at least. The orders of a process that \
           died are relayed at once.",
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
    /// Largest number of connections for reads.
    pub(crate) read_pool_max: usize,
    /// The payments database, read only, for timelines.
    pub(crate) payments: db::Settings,
    pub(crate) port: u16,
    pub(crate) http: HttpSettings,
    pub(crate) swagger_ui: SwaggerUi,
    pub(crate) cors_origins: CorsOrigins,
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

/// Time by which a lease has to exceed the wait for confirms.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

impl OutboxSettings {
    /// Reads them. A lease that ended while confirms are awaited would have the order published twice.
    fn read(env: &mut Env, confirm_timeout: Duration) -> OutboxSettings {
        let shortest = confirm_timeout + LEASE_MARGIN;
        let shortest_ms = u64::try_from(shortest.as_millis()).unwrap_or(u64::MAX);
        let lease = env.millis(&LEASE, shortest_ms, 100..=3_600_000);
        if lease < shortest {
            env.refuse(format!(
                "OUTBOX_LEASE_MS={}: must be at least CONFIRM_TIMEOUT_MS={} + {}, or an order is \
                 published twice",
                lease.as_millis(),
                confirm_timeout.as_millis(),
                LEASE_MARGIN.as_millis()
            ));
        }
        OutboxSettings {
            lease,
            sweep: env.millis(&SWEEP, 500, 10..=60_000),
            signing: read_signing_keys(env),
        }
    }
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
        let outbox = OutboxSettings::read(env, broker.confirm_timeout);
        let process = ProcessSettings::read(env, 9100);
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Config {
            port: env.number(&PORT, 3000, 0..=u16::MAX),
            log_shipping: ShippingSettings::read(env, &broker),
            broker,
            shop,
            payments,
            http: HttpSettings {
                workers: env.number(&HTTP_WORKERS, cores, 1..=256),
                connections_max: env.number(&HTTP_CONNECTIONS_MAX, 10_000, 1..=1_000_000),
                keep_alive: Duration::from_secs(env.number(&HTTP_KEEP_ALIVE, 75, 1..=86_400)),
                shutdown_timeout: process.drain,
            },
            process,
            swagger_ui: env.parsed(SWAGGER_UI.with_default(SwaggerUi::On, "on"), SwaggerUi::parse),
            cors_origins: env
                .parsed(CORS_ORIGINS.with_default(CorsOrigins::None, ""), CorsOrigins::parse),
            trace: read_trace_settings(env),
            read_pool_max: env.number(&READ_POOL_MAX, 4, 1..=1000),
            intake_max: env.number(&INTAKE_MAX, 4096, 1..=1_000_000),
            shutdown_delay: env.millis(&SHUTDOWN_DELAY, 3_000, 0..=600_000),
            outbox,
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

    #[test]
    fn a_lease_outlives_the_wait_for_confirms_and_a_shorter_one_is_refused_with_both_numbers() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            let mut env = Env::of(pairs);
            let lease = Config::read(&mut env).outbox.lease;
            env.finish().map(|()| lease.as_millis()).map_err(|error| error.to_string())
        };
        assert_eq!(of(&[]), Ok(15_000));
        assert_eq!(of(&[("CONFIRM_TIMEOUT_MS", "500")]), Ok(5_500));
        assert_eq!(of(&[("OUTBOX_LEASE_MS", "15000")]), Ok(15_000));
        for lease in ["5000", "14999"] {
            let refused = of(&[("OUTBOX_LEASE_MS", lease)]).unwrap_err();
            assert!(refused.contains(lease) && refused.contains("10000"), "{refused}");
        }
    }
}
