//! The auditor's settings.

use std::time::Duration;

use service::{Env, ProcessSettings, Setting};

const EVERY: Setting = Setting {
    name: "AUDIT_EVERY_MS",
    unit: "milliseconds",
    help: "Pause between two rounds; each round inspects the orders that have become old enough since \
           the last one.",
};
const GRACE: Setting = Setting {
    name: "AUDIT_GRACE_MS",
    unit: "milliseconds",
    help: "Age of an order before its first inspection, and the time between the first inspection \
           that finds a disagreement and the second.",
};
const OVERDUE: Setting = Setting {
    name: "AUDIT_OVERDUE_MS",
    unit: "milliseconds",
    help: "Time for which an order may be pending with no reason in the tables.",
};
const FULL_EVERY: Setting = Setting {
    name: "AUDIT_FULL_EVERY_MS",
    unit: "milliseconds",
    help: "Pause between two walks over all orders; the first walk begins with the process.",
};
const ROWS_PER_SECOND: Setting = Setting {
    name: "AUDIT_ROWS_PER_SECOND",
    unit: "rows",
    help: "Speed of a walk over all orders.",
};
const LEDGER: Setting = Setting {
    name: "AUDIT_BOOKS",
    unit: "simulated or none",
    help: "Ledger the payments are compared with: the one of the simulated gateway, or none.",
};

/// All settings of the process.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) process: ProcessSettings,
    pub(crate) shop: db::Settings,
    pub(crate) payments: db::Settings,
    pub(crate) audit: AuditSettings,
}

/// Settings of the audit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuditSettings {
    /// Pause between two rounds.
    pub(crate) every: Duration,
    /// Age of an order before its first inspection, and time between two looks at a violation.
    pub(crate) grace: Duration,
    /// Time for which an order may be pending with no reason in the tables.
    pub(crate) overdue: Duration,
    /// Pause between two walks over all orders.
    pub(crate) full_every: Duration,
    /// Speed of a walk over all orders.
    pub(crate) rows_per_second: u32,
    /// The ledger to compare payments with.
    pub(crate) ledger: Ledger,
}

/// The ledger that payments are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ledger {
    /// The simulated gateway's ledger.
    Simulated,
    /// The gateway's ledger cannot be read here.
    Unreadable,
}

impl Config {
    pub(crate) fn read(env: &mut Env) -> Config {
        const APP: &str = "auditor";
        let process = ProcessSettings::read(env, 9102);
        let (shop, payments) = db::Settings::read_both(env, APP);
        Config {
            process,
            shop,
            payments,
            audit: AuditSettings {
                every: env.millis(&EVERY, 10_000, 100..=3_600_000),
                grace: env.millis(&GRACE, 60_000, 100..=3_600_000),
                overdue: env.millis(&OVERDUE, 900_000, 1_000..=604_800_000),
                full_every: env.millis(&FULL_EVERY, 86_400_000, 100..=2_592_000_000),
                rows_per_second: env.number(&ROWS_PER_SECOND, 5_000, 1..=1_000_000),
                ledger: env.parsed(&LEDGER, Ledger::Simulated, "simulated", |text| match text {
                    "simulated" => Ok(Ledger::Simulated),
                    "none" => Ok(Ledger::Unreadable),
                    _ => Err("simulated or none".to_owned()),
                }),
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
