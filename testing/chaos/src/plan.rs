//! The plan of a campaign, read from the command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use super::fault::Kind;

/// The text of `--help`.
pub(super) const HELP: &str = "\
Runs Ordermill under load, injects faults on a schedule drawn from a seed, and checks every promise
afterwards. Exit code 0 if every promise was kept.

ordermill-chaos [--OPTION=VALUE…]

  --seed=N       seed of the schedule and the clients; default 7
  --minutes=N    duration of the faults, 0.5 to 600; default 10
  --clients=N    concurrent clients, 1 to 256; default 24
  --faults=A,B   only these kinds of faults; default all
  --binaries=DIR directory of the services to run; default those of this build
  --schedule     only print the schedule
  --sabotage     build the services with one line made wrong, run a short campaign and check that
                 it is caught, for every sabotage; --sabotage=NAME for those whose name contains it
";

/// The plan of a campaign.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Seed of the schedule and the clients.
    pub seed: u64,
    /// Duration of the faults.
    pub lasts: Duration,
    /// Concurrent clients.
    pub clients: usize,
    /// The kinds of faults.
    pub faults: Vec<Kind>,
    /// Directory of the services' executables, if they are not those of this build.
    pub binaries: Option<PathBuf>,
    /// Longest time from the end of the last fault until every order is final and every queue is
    /// read.
    pub drain_timeout: Duration,
    /// True if the schedule is only printed.
    pub only_schedule: bool,
    /// Part of the names of the sabotages that run instead of a campaign.
    pub sabotage: Option<String>,
}

impl Plan {
    /// A plan with all kinds of faults, for this long.
    pub fn new(seed: u64, lasts: Duration) -> Plan {
        let faults = Kind::ALL.to_vec();
        Plan {
            seed,
            lasts,
            clients: 24,
            faults,
            binaries: None,
            drain_timeout: Duration::from_secs(120),
            only_schedule: false,
            sabotage: None,
        }
    }

    /// Reads the command line; `None` if it asks for help.
    ///
    /// # Errors
    /// If an option is unknown, or its value is invalid.
    pub fn from_arguments(arguments: &[String]) -> Result<Option<Plan>> {
        if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
            return Ok(None);
        }
        let mut plan = Plan::new(7, Duration::from_secs(600));
        for argument in arguments {
            plan.set(argument).with_context(|| format!("{argument}: see --help"))?;
        }
        Ok(Some(plan))
    }

    fn set(&mut self, argument: &str) -> Result<()> {
        match argument.split_once('=') {
            None if argument == "--schedule" => self.only_schedule = true,
            None if argument == "--sabotage" => self.sabotage = Some(String::new()),
            Some(("--sabotage", value)) => self.sabotage = Some(value.to_owned()),
            Some(("--seed", value)) => self.seed = value.parse()?,
            Some(("--minutes", value)) => {
                let minutes: f64 = value.parse()?;
                ensure!((0.5..=600.0).contains(&minutes), "from 0.5 to 600");
                self.lasts = Duration::from_secs_f64(minutes * 60.0);
            }
            Some(("--clients", value)) => {
                self.clients = value.parse()?;
                ensure!((1..=256).contains(&self.clients), "from 1 to 256");
            }
            Some(("--faults", value)) => {
                self.faults = value.split(',').map(Kind::named).collect::<Result<_>>()?;
            }
            Some(("--binaries", value)) => self.binaries = Some(value.into()),
            _ => bail!("unknown option"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Option<Plan>> {
        let owned: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        Plan::from_arguments(&owned)
    }

    #[test]
    fn options_are_read_and_an_error_names_a_wrong_one() {
        let plan = read(&["--seed=3", "--minutes=1.5", "--faults=kill-worker"]).unwrap().unwrap();
        assert_eq!((plan.seed, plan.lasts), (3, Duration::from_secs(90)));
        assert_eq!(plan.faults, [Kind::KillWorker]);
        for wrong in ["--seed=x", "--minutes=0", "--clients=0", "--faults=rain", "--what=1", "x"] {
            let error = read(&[wrong]).unwrap_err();
            assert!(format!("{error:#}").contains(wrong), "{error:#}");
        }
        assert!(read(&["--help"]).unwrap().is_none());
    }
}
