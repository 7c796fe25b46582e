//! What a worker can be told.

use std::time::Duration;

use common::broker::{BrokerRole, BrokerSettings};
use common::runtime::{Env, ProcessSettings, Setting};

use crate::gateway::GatewaySettings;

const RETRY_DELAYS: Setting = Setting {
    name: "RETRY_DELAYS_MS",
    unit: "milliseconds, separated by commas",
    help: "How long a charge without a verdict waits before the gateway is asked again; the last \
           delay repeats.",
};
/// What a worker can be told.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) process: ProcessSettings,
    pub(crate) broker: BrokerSettings,
    pub(crate) payments: db::Settings,
    pub(crate) gateway: GatewaySettings,
}

impl AsRef<ProcessSettings> for Config {
    fn as_ref(&self) -> &ProcessSettings {
        &self.process
    }
}

impl Config {
    pub(crate) fn read(env: &mut Env) -> Config {
        const APP: &str = "payment-processor";
        let ladder = "500,2000,10000,30000,60000";
        let retry_delays =
            env.parsed(&RETRY_DELAYS, (ladder_of(ladder).unwrap_or_default(), ladder), |text| {
                ladder_of(text).ok_or("1 to 16 times from 1 to 60000, such as 500,60000".into())
            });
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
        }
    }
}

fn ladder_of(text: &str) -> Option<Vec<Duration>> {
    let delays: Option<Vec<u64>> = text.split(',').map(|ms| ms.trim().parse().ok()).collect();
    let delays = delays?;
    let fits = delays.len() <= 16 && delays.iter().all(|ms| (1..=60_000).contains(ms));
    fits.then(|| delays.into_iter().map(Duration::from_millis).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_is_capped_at_a_minute() {
        assert_eq!(ladder_of("500, 60000").unwrap().len(), 2);
        for wrong in ["", "0", "60001", "soon", "1,,2"] {
            assert_eq!(ladder_of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_empty_environment_is_enough() {
        let mut env = Env::of([]);
        Config::read(&mut env);
        env.finish().unwrap();
    }
}
