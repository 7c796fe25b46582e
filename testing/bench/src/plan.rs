//! The plan of a run, read from the command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

/// The text of `--help`.
pub(super) const HELP: &str = "\
Measures Ordermill on this machine, on a PostgreSQL and a RabbitMQ of its own.

ordermill-bench [quick] [PART…] [--OPTION=NUMBER…]

Parts measured in rounds, one after the other in each round:
  inserts       S: one order and outbox row per transaction, by pgbench
  broker        B: one quorum queue, a bare publisher and a bare consumer
  one           the whole pipeline with one order per message
  packs         the whole pipeline with many orders per message
  crowd         the same with 256 clients instead of 64
  intake        orders accepted while no worker runs
  latency       200 orders per second, open loop
Parts measured on their own:
  idle          CPU of idle processes
  growth        settled orders with millions of final orders in the tables
  backlog       half a million orders in the queue
  gateway       a gateway with a latency of 100 ms, one worker and four
  slow-gateway  a gateway with a latency of 2 s, 4000 charges in flight
  scale         1, 2, 4, 8 workers and 1, 2 order-managements
  telemetry     all output (metrics scraped, 1 % of the traces, JSON lines at info) and none
Without a part: all of them; with quick: short rounds of the first eight, two to three minutes.

Options:
  --rounds=N          number of rounds; default 3
  --seconds=N         length of one load; default 15, in quick 4
  --clients=N         clients of the closed loop; default 64
  --pack=N            ORDERS_PER_MESSAGE of packs; default 500
  --growth-orders=N   final orders in the tables; default 10000000
  --backlog-orders=N  orders in the queue; default 500000
  --against=DIR       services of another build, compared in telemetry
";

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Part {
    Inserts,
    Broker,
    One,
    Packs,
    Crowd,
    Intake,
    Latency,
    Idle,
    Growth,
    Backlog,
    Gateway,
    SlowGateway,
    Scale,
    Telemetry,
}

impl Part {
    const ALL: [(&str, Part); 14] = [
        ("inserts", Part::Inserts),
        ("broker", Part::Broker),
        ("one", Part::One),
        ("packs", Part::Packs),
        ("crowd", Part::Crowd),
        ("intake", Part::Intake),
        ("latency", Part::Latency),
        ("idle", Part::Idle),
        ("growth", Part::Growth),
        ("backlog", Part::Backlog),
        ("gateway", Part::Gateway),
        ("slow-gateway", Part::SlowGateway),
        ("scale", Part::Scale),
        ("telemetry", Part::Telemetry),
    ];
    /// Number of parts, from the first, that `quick` measures.
    const QUICK: usize = 8;
}

/// The parts to measure, and the length of the measurements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Plan {
    /// The parts, in order.
    pub(super) parts: Vec<Part>,
    /// True for short measurements.
    pub(super) quick: bool,
    /// Number of rounds.
    pub(super) rounds: u32,
    /// Length of one load.
    pub(super) seconds: u32,
    /// Clients of the closed loop.
    pub(super) clients: u32,
    /// Orders per batch message.
    pub(super) pack: u32,
    /// Final orders in the tables of `growth`.
    pub(super) growth_orders: u32,
    /// Orders in the queue of `backlog`.
    pub(super) backlog_orders: u32,
    /// Directory with the executables of another build.
    pub(super) against: Option<PathBuf>,
}

impl Plan {
    /// Reads the command line; `None` if it asks for help.
    ///
    /// # Errors
    /// If a part or an option is unknown, or a value is not a number.
    pub(super) fn from_arguments(arguments: &[String]) -> Result<Option<Plan>> {
        if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
            return Ok(None);
        }
        let quick = arguments.iter().any(|argument| argument == "quick");
        let mut plan = Plan::usual(quick);
        for argument in arguments.iter().filter(|argument| *argument != "quick") {
            match argument.strip_prefix("--") {
                Some(option) => plan.set(option)?,
                None => plan.parts.push(part(argument)?),
            }
        }
        if plan.parts.is_empty() {
            let count = if quick { Part::QUICK } else { Part::ALL.len() };
            plan.parts.extend(Part::ALL.iter().take(count).map(|(_, part)| *part));
        }
        Ok(Some(plan))
    }

    /// True if the plan contains this part.
    pub(super) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Duration of one load.
    pub(super) fn load(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// Duration of the load before a measurement, in which connections are opened and statements
    /// planned.
    pub(super) fn warm_up(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { 3 })
    }

    fn usual(quick: bool) -> Plan {
        Plan {
            parts: Vec::new(),
            quick,
            rounds: 3,
            seconds: if quick { 4 } else { 15 },
            clients: 64,
            pack: 500,
            growth_orders: 10_000_000,
            backlog_orders: 500_000,
            against: None,
        }
    }

    fn set(&mut self, option: &str) -> Result<()> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let slot = match name {
            "rounds" => &mut self.rounds,
            "seconds" => &mut self.seconds,
            "clients" => &mut self.clients,
            "pack" => &mut self.pack,
            "growth-orders" => &mut self.growth_orders,
            "backlog-orders" => &mut self.backlog_orders,
            "against" => {
                self.against = Some(PathBuf::from(value));
                return Ok(());
            }
            _ => bail!("there is no option --{name}; --help lists all"),
        };
        *slot = value.parse().with_context(|| format!("--{name}={value}: give it a number"))?;
        ensure!(*slot > 0, "--{name}={value}: must be at least 1");
        Ok(())
    }
}

fn part(name: &str) -> Result<Part> {
    let found = Part::ALL.iter().find(|(known, _)| *known == name);
    let (_, part) = found.with_context(|| format!("there is no part {name}; --help lists all"))?;
    Ok(*part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Result<Option<Plan>> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Plan::from_arguments(&arguments)
    }

    #[test]
    fn without_arguments_everything_is_measured() {
        let plan = plan("").unwrap().unwrap();
        assert_eq!((plan.parts.len(), plan.seconds), (Part::ALL.len(), 15));
    }

    #[test]
    fn quick_leaves_out_the_long_parts() {
        let plan = plan("quick --seconds=2").unwrap().unwrap();
        assert_eq!((plan.parts.last(), plan.seconds), (Some(&Part::Idle), 2));
    }

    #[test]
    fn parts_are_chosen_by_name() {
        let plan = plan("growth broker --growth-orders=1000").unwrap().unwrap();
        assert_eq!((plan.parts, plan.growth_orders), (vec![Part::Growth, Part::Broker], 1000));
    }

    #[test]
    fn an_error_names_the_unknown_part_option_or_value() {
        for (line, complaint) in [
            ("grwth", "there is no part grwth"),
            ("--round=1", "there is no option --round"),
            ("--rounds=x", "--rounds=x: give it a number"),
            ("--rounds=0", "must be at least 1"),
        ] {
            let error = format!("{:#}", plan(line).unwrap_err());
            assert!(error.contains(complaint), "{error}");
        }
        assert_eq!(plan("--help").unwrap(), None);
    }
}
