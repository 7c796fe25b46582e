//! Symmetry: states that differ only in the numbering of orders, processes or workers count once.

use crate::state::State;
use crate::two::Nth;

/// The representative of all states that differ only in the numbering of orders, processes or
/// workers.
pub fn representative(state: &State) -> State {
    let renamed = [*state, orders_swapped(state)];
    let [a, b] = renamed.map(|s| State {
        processes: s.processes.sorted(),
        workers: s.workers.sorted(),
        ..s
    });
    a.min(b)
}

fn orders_swapped(state: &State) -> State {
    let mut s = State { orders: state.orders.swapped(), ..*state };
    for by in Nth::BOTH {
        let process = &mut s.processes[by];
        process.relays = process.relays.swapped();
        process.settling = process.settling.map(|mut work| {
            work.order = work.order.other();
            work
        });
        let worker = &mut s.workers[by];
        worker.charging = worker.charging.map(|mut work| {
            work.order = work.order.other();
            work
        });
    }
    s
}
