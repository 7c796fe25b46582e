//! What a campaign is to be, out of the command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use super::fault::Kind;

/// What `--help` says.
pub(super) const HELP: &str = "\
Runs Ordermill under load, breaks everything around it on a schedule drawn from a seed, and checks
every promise afterwards. Exit code 0 if all were kept.

ordermill-chaos [--OPTION=VALUE…]

  --seed=N       what the schedule and the clients draw from; 7 otherwise
  --minutes=N    how long things are broken, 0.5 to 600; 10 otherwise
  --clients=N    how many place orders at once, 1 to 256; 24 otherwise
  --faults=A,B   only these kinds of faults; all of them otherwise
  --binaries=DIR the services to run; those of this build otherwise
  --schedule     only print the schedule
  --sabotage     build the services wrong in one way after the other, and see each one caught;
                 --sabotage=NAME only those whose name contains it
";

/// What a campaign is to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What the schedule and the clients draw from.
    pub seed: u64,
    /// How long things are broken.
    pub lasts: Duration,
    /// How many clients place orders at once.
    pub clients: usize,
    /// Which kinds of faults.
    pub faults: Vec<Kind>,
    /// Where the services' executables are, if they are not those of this build.
    pub binaries: Option<PathBuf>,
    /// How long everything that can end has to, once all is whole again.
    pub patience: Duration,
    /// Whether the schedule is only printed.
    pub only_schedule: bool,
    /// Which sabotages to try instead, by a part of their names.
    pub sabotage: Option<String>,
}

impl Plan {
    /// All kinds of faults, for this long.
    pub fn new(seed: u64, lasts: Duration) -> Plan {
        let faults = Kind::ALL.to_vec();
        Plan {
            seed,
            lasts,
            clients: 24,
            faults,
            binaries: None,
            patience: Duration::from_secs(120),
            only_schedule: false,
            sabotage: None,
        }
    }

    /// Reads the command line; nothing if it asks for help.
    ///
    /// # Errors
    /// If it names an option that there is none of, or a value that fits none.
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
            _ => bail!("there is no such option"),
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
    fn options_are_read_and_wrong_ones_named() {
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
