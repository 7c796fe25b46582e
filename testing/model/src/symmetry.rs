//! Orders, processes and workers have no names: states that differ only in which of two is which
//! are one.

use crate::state::State;
use crate::two::Nth;

/// The same for all states that differ only in which of two orders, processes or workers is which.
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
        process.settling = process.settling.map(|mut hand| {
            hand.order = hand.order.other();
            hand
        });
        let worker = &mut s.workers[by];
        worker.charging = worker.charging.map(|mut hand| {
            hand.order = hand.order.other();
            hand
        });
    }
    s
}
