//! The pipeline keeps its promises in every state that two processes, two workers and some faults
//! can reach. `make model` checks more states than these tests.

use std::collections::HashSet;

use model::{Orders, Pipeline, check, goes_in_circles, representative};
use stateright::Model as _;

/// Number of promises.
const PROMISES: usize = 9;

#[test]
fn one_order_ends_well_under_any_two_faults() {
    let pipeline = Pipeline::sound(Orders::One, 2);
    let found = check(&pipeline);
    assert_eq!(found.breaks, [""; 0]);
    assert_eq!(found.holds.len(), PROMISES);
    assert_eq!(found.unreachable, [""; 0], "it holds only because it never happens");
    assert!(!goes_in_circles(&pipeline), "a path without an end: P1 is not proven");
    assert!(found.states > 300_000, "only {} states", found.states);
}

#[test]
fn two_orders_of_one_commit_end_well_under_any_fault() {
    let found = check(&Pipeline::sound(Orders::TwoTogether, 1));
    assert_eq!(found.breaks, [""; 0]);
    assert_eq!(found.holds.len(), PROMISES);
    assert_eq!(found.unreachable, [""; 0], "it holds only because it never happens");
}

#[test]
fn two_orders_do_not_interfere() {
    let pipeline = Pipeline::sound(Orders::TwoApart, 0);
    let found = check(&pipeline);
    assert_eq!(found.breaks, [""; 0]);
    assert_eq!(found.holds.len(), PROMISES);
    assert!(!goes_in_circles(&pipeline), "a path without an end: P1 is not proven");
}

/// Enumerates every state, and counts the classes of symmetric states: the checker, which skips
/// symmetric states, must find the same number.
#[test]
fn symmetry_loses_no_state() {
    for (orders, faults) in [(Orders::TwoApart, 0), (Orders::One, 1)] {
        let pipeline = Pipeline::sound(orders, faults);
        let mut all: HashSet<_> = pipeline.init_states().into_iter().collect();
        let mut left: Vec<_> = all.iter().copied().collect();
        while let Some(state) = left.pop() {
            left.extend(pipeline.next_states(&state).into_iter().filter(|next| all.insert(*next)));
        }
        let alike: HashSet<_> = all.iter().map(representative).collect();
        assert_eq!(check(&pipeline).states, alike.len(), "{orders:?}");
        assert!(all.len() > alike.len(), "{orders:?}: no two states are alike");
    }
}
