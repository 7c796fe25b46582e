//! The road keeps its promises in every state that two processes, two workers and some faults can
//! bring about. `make model` looks at more states than these tests.

use std::collections::HashSet;

use model::{Orders, Road, check, goes_in_circles, representative};
use stateright::Model as _;

/// How many promises a road is held to.
const PROMISES: usize = 9;

#[test]
fn one_order_reaches_its_end_whatever_two_faults_do() {
    let road = Road::sound(Orders::One, 2);
    let found = check(&road);
    assert_eq!(found.breaks, [""; 0]);
    assert_eq!(found.holds.len(), PROMISES);
    assert_eq!(found.unreachable, [""; 0], "it holds only because it never happens");
    assert!(!goes_in_circles(&road), "a path without an end: P1 is not proven");
    assert!(found.states > 300_000, "only {} states", found.states);
}

#[test]
fn two_orders_of_one_commit_reach_their_end_whatever_a_fault_does() {
    let found = check(&Road::sound(Orders::TwoTogether, 1));
    assert_eq!(found.breaks, [""; 0]);
    assert_eq!(found.holds.len(), PROMISES);
    assert_eq!(found.unreachable, [""; 0], "it holds only because it never happens");
}

#[test]
fn two_orders_do_not_get_into_each_others_way() {
    let road = Road::sound(Orders::TwoApart, 0);
    let found = check(&road);
    assert_eq!(found.breaks, [""; 0]);
    assert_eq!(found.holds.len(), PROMISES);
    assert!(!goes_in_circles(&road), "a path without an end: P1 is not proven");
}

/// Every state there is, one by one, and then one of each that are alike: the checker, which leaves
/// out what is like something it has seen, must come to the same number.
#[test]
fn states_that_are_alike_lose_nothing() {
    for (orders, faults) in [(Orders::TwoApart, 0), (Orders::One, 1)] {
        let road = Road::sound(orders, faults);
        let mut all: HashSet<_> = road.init_states().into_iter().collect();
        let mut left: Vec<_> = all.iter().copied().collect();
        while let Some(state) = left.pop() {
            left.extend(road.next_states(&state).into_iter().filter(|next| all.insert(*next)));
        }
        let alike: HashSet<_> = all.iter().map(representative).collect();
        assert_eq!(check(&road).states, alike.len(), "{orders:?}");
        assert!(all.len() > alike.len(), "{orders:?}: no two states are alike");
    }
}
