//! What is to be measured, out of the command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

/// What `--help` says.
pub(super) const HELP: &str = "\
Measures Ordermill on this machine, on a PostgreSQL and a RabbitMQ of its own.

ordermill-bench [quick] [PART…] [--OPTION=NUMBER…]

Parts measured in rounds, one after the other in each round:
  inserts       S: one order and outbox row a transaction, by pgbench
  broker        B: one quorum queue, a bare publisher and a bare consumer
  one           the whole road with one order a message
  packs         the whole road with many orders a message
  crowd         the same with 256 clients instead of 64
  intake        orders accepted while no worker runs
  latency       200 orders a second, open loop
Parts measured on their own:
  idle          CPU of processes that have nothing to do
  growth        settled orders with millions of final ones in the tables
  backlog       half a million orders standing in the queue
  gateway       a gateway that takes 100 ms, one worker and four
  slow-gateway  a gateway that takes 2 s, 4000 charges in flight
  scale         1, 2, 4, 8 workers and 1, 2 order-managements
  telemetry     everything told (metrics scraped, 1 % of the traces, JSON lines at info) and nothing
Without a part: all of them; with quick: short rounds of the first eight, two to three minutes.

Options:
  --rounds=N          how often; 3 otherwise
  --seconds=N         length of one load; 15 otherwise, 4 in quick
  --clients=N         of the closed loop; 64 otherwise
  --pack=N            ORDERS_PER_MESSAGE of packs; 500 otherwise
  --growth-orders=N   final orders in the tables; 10000000 otherwise
  --backlog-orders=N  orders in the queue; 500000 otherwise
  --against=DIR       services of another build, beside these in telemetry
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
    /// How many of them `quick` measures.
    const QUICK: usize = 8;
}

/// What is to be measured, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Plan {
    /// Which parts, in this order.
    pub(super) parts: Vec<Part>,
    /// Whether everything is kept short.
    pub(super) quick: bool,
    /// How often what is measured in rounds is measured.
    pub(super) rounds: u32,
    /// How long one load lasts.
    pub(super) seconds: u32,
    /// Clients of the closed loop.
    pub(super) clients: u32,
    /// Orders a message at the best setting.
    pub(super) pack: u32,
    /// Final orders in the tables of `growth`.
    pub(super) growth_orders: u32,
    /// Orders in the queue of `backlog`.
    pub(super) backlog_orders: u32,
    /// Where the executables of another build lie.
    pub(super) against: Option<PathBuf>,
}

impl Plan {
    /// Reads the command line; nothing if it asks for help.
    ///
    /// # Errors
    /// If it names a part or an option that there is none of, or a number that is none.
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

    /// Whether this part is to be measured.
    pub(super) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// How long one load lasts.
    pub(super) fn load(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// How long a load lasts whose figures are thrown away: connections are opened, plans made.
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
    fn quick_leaves_out_what_takes_long() {
        let plan = plan("quick --seconds=2").unwrap().unwrap();
        assert_eq!((plan.parts.last(), plan.seconds), (Some(&Part::Idle), 2));
    }

    #[test]
    fn parts_are_chosen_by_name() {
        let plan = plan("growth broker --growth-orders=1000").unwrap().unwrap();
        assert_eq!((plan.parts, plan.growth_orders), (vec![Part::Growth, Part::Broker], 1000));
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
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
