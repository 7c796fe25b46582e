//! When what is broken, drawn from a seed: the same seed gives the same schedule.

use std::fmt::{self, Display};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use super::fault::{Fault, Kind};
use super::plan::Plan;

/// One in so many steps has a second fault beside the first.
const PAIRED: f64 = 0.3;
/// One in so many steps follows the last one before everything is ready again.
const HASTY: f64 = 0.3;

/// What happens next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Step {
    /// Whether it waits until everything is ready again after the last step.
    pub(super) after_recovery: bool,
    /// How long nothing happens before it.
    pub(super) pause: Duration,
    /// What is broken.
    pub(super) fault: Fault,
    /// What is broken beside it, so much later.
    pub(super) beside: Option<(Duration, Fault)>,
}

/// More steps than fit into the plan's time. Every kind comes once before any comes again.
pub(super) fn drawn(plan: &Plan) -> Vec<Step> {
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
        let fault = Fault::drawn(kind, &mut rng);
        let beside = rng.random_bool(PAIRED).then(|| beside(&fault, plan, &mut rng)).flatten();
        let pause = Duration::from_millis(rng.random_range(300..3_000));
        planned += pause + fault.lasts;
        steps.push(Step { after_recovery: !rng.random_bool(HASTY), pause, fault, beside });
    }
    steps
}

/// Another fault that does not take hold of the same things.
fn beside(first: &Fault, plan: &Plan, rng: &mut StdRng) -> Option<(Duration, Fault)> {
    let mut others = plan.faults.clone();
    others.retain(|kind| kind.part() != first.kind.part());
    others.shuffle(rng);
    let fault = Fault::drawn(others.pop()?, rng);
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
        assert_eq!(drawn(&plan(7)), drawn(&plan(7)));
        assert_ne!(drawn(&plan(7)), drawn(&plan(8)));
    }

    #[test]
    fn every_kind_comes_before_any_comes_again() {
        let mut kinds: Vec<Kind> = drawn(&plan(7)).iter().map(|step| step.fault.kind).collect();
        kinds.truncate(Kind::ALL.len());
        kinds.sort();
        assert_eq!(kinds, Kind::ALL);
    }

    #[test]
    fn two_faults_at_a_time_take_hold_of_different_things() {
        for step in (0..50).flat_map(|seed| drawn(&plan(seed))) {
            if let Some((_, other)) = step.beside {
                assert_ne!(other.kind.part(), step.fault.kind.part());
            }
        }
    }
}
