//! What a worker can be told.

use common::broker::{BrokerRole, BrokerSettings, read_retry_delays};
use common::runtime::{Env, ProcessSettings};
use common::trace::TraceSettings;

use crate::gateway::GatewaySettings;

/// What a worker can be told.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) process: ProcessSettings,
    pub(crate) broker: BrokerSettings,
    pub(crate) payments: db::Settings,
    pub(crate) gateway: GatewaySettings,
    pub(crate) trace: TraceSettings,
}

impl AsRef<ProcessSettings> for Config {
    fn as_ref(&self) -> &ProcessSettings {
        &self.process
    }
}

impl Config {
    pub(crate) fn read(env: &mut Env) -> Config {
        const APP: &str = "payment-processor";
        let retry_delays = read_retry_delays(env);
        let role = BrokerRole {
            app: APP,
            send: "processedorders",
            receive: "processingorders",
            retry_delays,
        };
        Config {
            process: ProcessSettings::read(env, 9101),
            broker: BrokerSettings::read(env, role),
            payments: db::Settings::read_payments(env, APP),
            gateway: GatewaySettings::read(env),
            trace: TraceSettings::read(env),
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
