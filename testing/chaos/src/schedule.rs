//! The schedule of faults, drawn from a seed: the same seed gives the same schedule.

use std::fmt::{self, Display};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use super::fault::{Fault, Kind};
use super::plan::Plan;

/// Share of the steps that have a second fault beside the first.
const PAIRED_SHARE: f64 = 0.3;
/// Share of the steps that do not wait until every process is ready again.
const HASTY_SHARE: f64 = 0.3;

/// One step of the schedule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Step {
    /// True if the step waits until every process is ready again after the previous step.
    pub(super) after_recovery: bool,
    /// Pause before the fault.
    pub(super) pause: Duration,
    /// The fault.
    pub(super) fault: Fault,
    /// A second fault, which begins this much later.
    pub(super) beside: Option<(Duration, Fault)>,
}

/// Draws at least as many steps as fit into the plan's time. Every kind of fault occurs once before
/// any kind occurs again.
pub(super) fn draw(plan: &Plan) -> Vec<Step> {
    let mut rng = StdRng::seed_from_u64(plan.seed);
    let mut steps = Vec::new();
    let mut planned = Duration::ZERO;
    let mut deck: Vec<Kind> = Vec::new();
    while planned < plan.lasts {
        if deck.is_empty() {
            deck.clone_from(&plan.faults);
            deck.shuffle(&mut rng);
        }
        let Some(kind) = deck.pop() else { break };
        let fault = Fault::draw(kind, &mut rng);
        let beside =
            rng.random_bool(PAIRED_SHARE).then(|| beside(&fault, plan, &mut rng)).flatten();
        let pause = Duration::from_millis(rng.random_range(300..3_000));
        planned += pause + fault.lasts;
        steps.push(Step { after_recovery: !rng.random_bool(HASTY_SHARE), pause, fault, beside });
    }
    steps
}

/// Draws a second fault in another part of the system.
fn beside(first: &Fault, plan: &Plan, rng: &mut StdRng) -> Option<(Duration, Fault)> {
    let mut others = plan.faults.clone();
    others.retain(|kind| kind.part() != first.kind.part());
    others.shuffle(rng);
    let fault = Fault::draw(others.pop()?, rng);
    Some((Duration::from_millis(rng.random_range(0..2_000)), fault))
}

impl Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = if self.after_recovery { "all ready, then" } else { "at once, then" };
        write!(f, "{when} {:.1} s: {}", self.pause.as_secs_f64(), self.fault)?;
        match &self.beside {
            Some((later, fault)) => write!(f, "; {:.1} s later {fault}", later.as_secs_f64()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64) -> Plan {
        Plan::new(seed, Duration::from_secs(600))
    }

    #[test]
    fn a_seed_gives_one_schedule_and_another_seed_another_one() {
        assert_eq!(draw(&plan(7)), draw(&plan(7)));
        assert_ne!(draw(&plan(7)), draw(&plan(8)));
    }

    #[test]
    fn every_kind_occurs_once_before_any_kind_occurs_again() {
        let mut kinds: Vec<Kind> = draw(&plan(7)).iter().map(|step| step.fault.kind).collect();
        kinds.truncate(Kind::ALL.len());
        kinds.sort();
        assert_eq!(kinds, Kind::ALL);
    }

    #[test]
    fn two_faults_at_a_time_concern_different_parts() {
        for step in (0..50).flat_map(|seed| draw(&plan(seed))) {
            if let Some((_, other)) = step.beside {
                assert_ne!(other.kind.part(), step.fault.kind.part());
            }
        }
    }
}
