//! Walking through all states.

use std::collections::{BTreeSet, HashMap};

use stateright::{Checker, Expectation, HasDiscoveries, Model as _};

use crate::road::{Road, Step};
use crate::state::State;
use crate::symmetry::representative;
use crate::tell::tell;

/// What was found out about a road.
#[derive(Clone, Debug)]
pub struct Found {
    /// How many different states there are.
    pub states: usize,
    /// How many steps the longest path that was walked has.
    pub depth: usize,
    /// The promises that hold in all states.
    pub holds: Vec<&'static str>,
    /// The promises that do not.
    pub breaks: Vec<&'static str>,
    /// The interesting cases that no path leads to.
    pub unreachable: Vec<&'static str>,
}

/// A property that breaks, and how.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The property.
    pub property: &'static str,
    /// The steps that lead there, as few as there can be.
    pub steps: Vec<SpanRecord>,
}

/// A step and what it does, in words.
#[derive(Clone, Debug)]
pub struct SpanRecord {
    /// The step.
    pub step: Step,
    /// What it does.
    pub says: String,
}

/// Looks at every state, one of each that are alike.
pub fn check(road: &Road) -> Found {
    let checker = road.clone().checker().symmetry_fn(representative).spawn_dfs().join();
    let found: BTreeSet<&str> = checker.discoveries().into_keys().collect();
    let (mut holds, mut breaks, mut unreachable) = (Vec::new(), Vec::new(), Vec::new());
    for property in road.properties() {
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

/// The shortest way to break this property, if there is one of at most `steps_max` steps.
pub fn shortest(road: &Road, property: &'static str, steps_max: usize) -> Option<Broken> {
    // The checker looks at many states before it stops, and keeps the last path it has found. With a
    // bound on the steps that grows, that one is the shortest.
    (1..=steps_max + 1).find_map(|depth| {
        let wanted = HasDiscoveries::AnyOf(BTreeSet::from([property]));
        let checker = road.clone().checker().finish_when(wanted).target_max_depth(depth + 1);
        let path = checker.spawn_bfs().join().discovery(property)?;
        let told = |(before, step): (State, Option<Step>)| {
            step.map(|step| SpanRecord { step, says: tell(&before, step) })
        };
        Some(Broken { property, steps: path.into_vec().into_iter().filter_map(told).collect() })
    })
}

/// Whether a path leads back to where it was. Where none does, every path ends, and a promise that
/// holds wherever a path ends is kept on every path.
pub fn goes_in_circles(road: &Road) -> bool {
    let mut over: HashMap<State, bool> = HashMap::new();
    let mut path: Vec<(State, Vec<State>)> = Vec::new();
    for state in road.init_states() {
        over.insert(representative(&state), false);
        path.push((state, road.next_states(&state)));
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
                path.push((next, road.next_states(&next)));
            }
        }
    }
    false
}
