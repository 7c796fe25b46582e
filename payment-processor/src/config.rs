//! The settings of a worker.

use std::time::Duration;

use amqp::{BrokerRole, BrokerSettings};
use amqp::{read_reconcile_after, read_retry_delays, read_signing_keys};
use domain::{Invalid, WorkerName};
use log_shipping::ShippingSettings;
use messages::SigningKeys;
use service::{Env, ProcessSettings, Setting, read_trace_settings};
use telemetry::trace::TraceSettings;

use crate::gateway::GatewaySettings;

const NAME: Setting = Setting {
    name: "INSTANCE_NAME",
    unit: "text",
    help: "Name of this worker in the timelines of orders; each worker needs its own.",
};

/// The settings of a worker.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) name: WorkerName,
    pub(crate) process: ProcessSettings,
    pub(crate) broker: BrokerSettings,
    pub(crate) log_shipping: ShippingSettings,
    pub(crate) payments: db::Settings,
    pub(crate) gateway: GatewaySettings,
    /// The keys of which one has to have signed a request; `None` if requests are not signed.
    pub(crate) signing: Option<SigningKeys>,
    pub(crate) trace: TraceSettings,
    /// Time after its due time at which a scheduled copy of a request is overdue.
    pub(crate) reconcile_after: Duration,
}

impl Config {
    pub(crate) fn read(env: &mut Env) -> Config {
        const APP: &str = "payment-processor";
        let retry_delays = read_retry_delays(env);
        let role = BrokerRole {
            app: APP,
            send: "processedorders",
            receive: "processingorders",
            send_retry_delays: Vec::new(),
            retry_delays,
        };
        let name = read_name(env);
        let process = ProcessSettings::read(env, 9101);
        let broker = BrokerSettings::read(env, role);
        Config {
            name,
            process,
            log_shipping: ShippingSettings::read(env, &broker),
            broker,
            payments: db::Settings::read_payments(env, APP),
            gateway: GatewaySettings::read(env),
            signing: read_signing_keys(env),
            trace: read_trace_settings(env),
            reconcile_after: read_reconcile_after(env),
        }
    }
}

fn read_name(env: &mut Env) -> WorkerName {
    let name = WorkerName::of_process(&host_name(env), std::process::id());
    let parse = |text: &str| text.parse().map_err(|e: Invalid| e.to_string());
    env.parsed(NAME.with_default(name, "the host's name and the process's number there"), parse)
}

/// The name of this machine: from the environment, as in a container, or else from the kernel.
fn host_name(env: &Env) -> String {
    let told = env.of_the_system("HOSTNAME").map(str::to_owned);
    let known = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    told.unwrap_or_else(known).trim().to_owned()
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
    fn a_worker_is_called_what_it_is_told_or_after_its_host_and_itself() {
        let env = |name: &str, value: &str| Env::of([(name.to_owned(), value.to_owned())]);
        let own = format!("mill-7/{}", std::process::id());
        assert_eq!(read_name(&mut env("HOSTNAME", "mill-7")).as_str(), own);
        assert_eq!(read_name(&mut env("INSTANCE_NAME", "till")).as_str(), "till");
        let mut wrong = env("INSTANCE_NAME", "two words");
        read_name(&mut wrong);
        assert!(wrong.finish().is_err());
    }
}
