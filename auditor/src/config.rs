//! What the auditor can be told.

use std::time::Duration;

use service::{Env, ProcessSettings, Setting};

const EVERY: Setting = Setting {
    name: "AUDIT_EVERY_MS",
    unit: "milliseconds",
    help: "The pause between two rounds, each of which looks at what has become old enough since.",
};
const GRACE: Setting = Setting {
    name: "AUDIT_GRACE_MS",
    unit: "milliseconds",
    help: "How old an order is before it is looked at, and how long after the first look at what \
           seems wrong comes the second.",
};
const OVERDUE: Setting = Setting {
    name: "AUDIT_OVERDUE_MS",
    unit: "milliseconds",
    help: "How long an order may be pending with nothing in the tables that says why.",
};
const FULL_EVERY: Setting = Setting {
    name: "AUDIT_FULL_EVERY_MS",
    unit: "milliseconds",
    help: "The pause between two walks over all orders, from the first one on.",
};
const ROWS_PER_SECOND: Setting = Setting {
    name: "AUDIT_ROWS_PER_SECOND",
    unit: "rows",
    help: "How fast a walk over all orders goes.",
};
const BOOKS: Setting = Setting {
    name: "AUDIT_BOOKS",
    unit: "simulated or none",
    help: "Whose books the payments are held against: the simulated gateway's, or nobody's.",
};

/// What the auditor can be told.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) process: ProcessSettings,
    pub(crate) shop: db::Settings,
    pub(crate) payments: db::Settings,
    pub(crate) audit: AuditSettings,
}

/// When and how to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuditSettings {
    pub(crate) every: Duration,
    pub(crate) grace: Duration,
    pub(crate) overdue: Duration,
    pub(crate) full_every: Duration,
    pub(crate) rows_per_second: u32,
    pub(crate) books: Ledger,
}

/// Whose books the payments are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ledger {
    /// The simulated gateway's.
    Simulated,
    /// There are none that could be read here.
    Closed,
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
                books: env.parsed(BOOKS.with_default(Ledger::Simulated, "simulated"), |text| {
                    match text {
                        "simulated" => Ok(Ledger::Simulated),
                        "none" => Ok(Ledger::Closed),
                        _ => Err("simulated or none".to_owned()),
                    }
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
