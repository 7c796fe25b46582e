//! **place**: order and outbox row in one commit; the client repeats until it has its `201`.

use super::environment;
use crate::pipeline::Pipeline;
use crate::state::{Client, Lease, Order, Relay, State, Status};
use crate::two::Nth;
use crate::variant::Variant;

/// One commit for all orders of a row. The row is leased to the process, which relays the orders at
/// once and answers `201`.
pub(crate) fn place(pipeline: &Pipeline, s: &mut State, by: Nth, row: Nth) -> bool {
    let orders = pipeline.orders.of_row(row);
    for order in orders {
        s.processes[by].relays[*order] = Relay::Due;
    }
    commit(s, Commit { by, orders, lease: Lease::Held, client: Client::Knows })
}

/// The same while the broker is unavailable: the lease is empty, and the sweep will find the row.
/// (A commit that the process learns of only by repeating it has the same result.)
pub(crate) fn place_unleased(pipeline: &Pipeline, s: &mut State, by: Nth, row: Nth) -> bool {
    let orders = pipeline.orders.of_row(row);
    commit(s, Commit { by, orders, lease: Lease::Over, client: Client::Knows })
}

/// The process dies between the commit and the `201`: the lease runs, and no process publishes.
pub(crate) fn place_and_die(pipeline: &Pipeline, s: &mut State, by: Nth, row: Nth) -> bool {
    let orders = pipeline.orders.of_row(row);
    let may = commit(s, Commit { by, orders, lease: Lease::Held, client: Client::Wants });
    environment::kill_process(s, by);
    may
}

struct Commit<'a> {
    by: Nth,
    orders: &'a [Nth],
    lease: Lease,
    client: Client,
}

fn commit(s: &mut State, commit: Commit<'_>) -> bool {
    let Commit { by, orders, lease, client } = commit;
    let wanted = |o: Order| o.client == Client::Wants && o.status.is_none();
    let may = !s.processes[by].gone && orders.iter().all(|o| wanted(s.orders[*o]));
    for order in orders {
        let o = &mut s.orders[*order];
        (o.status, o.row, o.client) = (Some(Status::Pending), Some(lease), client);
    }
    may
}

/// The `201` before the commit, which only a broken variant sends.
pub(crate) fn answer_early(pipeline: &Pipeline, s: &mut State, order: Nth) -> bool {
    let o = &mut s.orders[order];
    let may = pipeline.is(Variant::AnswerBeforeCommit) && o.client == Client::Wants;
    o.client = Client::Knows;
    may
}

/// The client repeats its request with its key, and the order exists already.
pub(crate) fn explain(s: &mut State, by: Nth, order: Nth) -> bool {
    let o = &mut s.orders[order];
    let may = !s.processes[by].gone && o.client == Client::Wants && o.status.is_some();
    o.client = Client::Knows;
    may
}
