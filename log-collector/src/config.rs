//! The log collector's settings.

use log_shipping::ReaderSettings;
use service::{Env, ProcessSettings, Setting};

const RETENTION: Setting = Setting {
    name: "LOG_RETENTION_DAYS",
    unit: "days",
    help: "Number of days before today for which log lines are kept; older lines are dropped, a day \
           at a time.",
};

/// All settings of the process.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) process: ProcessSettings,
    pub(crate) feed: ReaderSettings,
    pub(crate) logs: db::Settings,
    pub(crate) retention_days: i32,
}

impl Config {
    pub(crate) fn read(env: &mut Env) -> Config {
        const APP: &str = "log-collector";
        Config {
            process: ProcessSettings::read(env, 9103),
            feed: ReaderSettings::read(env, APP),
            logs: db::Settings::read_logs(env, APP),
            retention_days: env.number(&RETENTION, 7, 1..=3650),
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
