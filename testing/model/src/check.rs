//! The exhaustive check of all states.

use std::collections::{BTreeSet, HashMap};

use stateright::{Checker, Expectation, HasDiscoveries, Model as _};

use crate::describe::describe;
use crate::pipeline::{Pipeline, Step};
use crate::state::State;
use crate::symmetry::representative;

/// The result of the check of a pipeline.
#[derive(Clone, Debug)]
pub struct Found {
    /// Number of different states.
    pub states: usize,
    /// Steps of the longest path that was walked.
    pub depth: usize,
    /// The promises that hold in all states.
    pub holds: Vec<&'static str>,
    /// The promises that are broken in a state.
    pub breaks: Vec<&'static str>,
    /// The interesting cases that no path reaches.
    pub unreachable: Vec<&'static str>,
}

/// A broken property with a path that breaks it.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The property.
    pub property: &'static str,
    /// The steps of a shortest path.
    pub steps: Vec<DescribedStep>,
}

/// A step with its description.
#[derive(Clone, Debug)]
pub struct DescribedStep {
    /// The step.
    pub step: Step,
    /// The description.
    pub description: String,
}

/// Checks every state, once per class of symmetric states.
pub fn check(pipeline: &Pipeline) -> Found {
    let checker = pipeline.clone().checker().symmetry_fn(representative).spawn_dfs().join();
    let found: BTreeSet<&str> = checker.discoveries().into_keys().collect();
    let (mut holds, mut breaks, mut unreachable) = (Vec::new(), Vec::new(), Vec::new());
    for property in pipeline.properties() {
        match (property.expectation, found.contains(property.name)) {
            (Expectation::Always | Expectation::Eventually, false) => holds.push(property.name),
            (Expectation::Always | Expectation::Eventually, true) => breaks.push(property.name),
            (Expectation::Sometimes, false) => unreachable.push(property.name),
            (Expectation::Sometimes, true) => {}
        }
    }
    let (states, depth) = (checker.unique_state_count(), checker.max_depth().saturating_sub(1));
    Found { states, depth, holds, breaks, unreachable }
}

/// The shortest path that breaks this property, if there is one of at most `steps_max` steps.
pub fn shortest(pipeline: &Pipeline, property: &'static str, steps_max: usize) -> Option<Broken> {
    // The checker visits many states before it stops, and keeps the last path found. With a growing
    // bound on the steps, this path is a shortest one.
    (1..=steps_max + 1).find_map(|depth| {
        let wanted = HasDiscoveries::AnyOf(BTreeSet::from([property]));
        let checker = pipeline.clone().checker().finish_when(wanted).target_max_depth(depth + 1);
        let path = checker.spawn_bfs().join().discovery(property)?;
        let path = path.into_vec().into_iter();
        let steps = path.filter_map(|(before, step): (State, Option<Step>)| {
            step.map(|step| DescribedStep { step, description: describe(&before, step) })
        });
        Some(Broken { property, steps: steps.collect() })
    })
}

/// True if a path leads back to an earlier state. If none does, every path ends, and a promise that
/// holds at the end of every path is kept.
pub fn goes_in_circles(pipeline: &Pipeline) -> bool {
    let mut over: HashMap<State, bool> = HashMap::new();
    let mut path: Vec<(State, Vec<State>)> = Vec::new();
    for state in pipeline.init_states() {
        over.insert(representative(&state), false);
        path.push((state, pipeline.next_states(&state)));
    }
    while let Some((state, next)) = path.last_mut() {
        let Some(next) = next.pop() else {
            over.insert(representative(state), true);
            path.pop();
            continue;
        };
        match over.get(&representative(&next)) {
            Some(true) => {}
            Some(false) => return true,
            None => {
                over.insert(representative(&next), false);
                path.push((next, pipeline.next_states(&next)));
            }
        }
    }
    false
}
