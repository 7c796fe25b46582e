//! **place**: order and outbox row in one commit; the client asks until it has its `201`.

use super::environment;
use crate::road::Road;
use crate::state::{Client, Lease, Order, Relay, State, Status};
use crate::two::Nth;
use crate::variant::Variant;

/// One commit for all orders of a row. The row is leased to the process, which has them in its
/// relay at once, and gives the `201`.
pub(crate) fn place(road: &Road, s: &mut State, (by, row): (Nth, Nth)) -> bool {
    let orders = road.orders.of_row(row);
    for order in orders {
        s.processes[by].relays[*order] = Relay::Due;
    }
    commit(s, (by, orders), (Lease::Held, Client::Knows))
}

/// The same while the broker is away: the lease is empty, and the sweep will find the row. (A
/// commit of which the process hears only when it repeats it ends in the same way.)
pub(crate) fn place_unleased(road: &Road, s: &mut State, (by, row): (Nth, Nth)) -> bool {
    commit(s, (by, road.orders.of_row(row)), (Lease::Over, Client::Knows))
}

/// The process dies between the commit and the `201`: the lease runs, and nobody publishes.
pub(crate) fn place_and_die(road: &Road, s: &mut State, (by, row): (Nth, Nth)) -> bool {
    let may = commit(s, (by, road.orders.of_row(row)), (Lease::Held, Client::Wants));
    environment::kill_process(s, by);
    may
}

fn commit(s: &mut State, (by, orders): (Nth, &[Nth]), (lease, client): (Lease, Client)) -> bool {
    let wanted = |o: Order| o.client == Client::Wants && o.status.is_none();
    let may = !s.processes[by].gone && orders.iter().all(|o| wanted(s.orders[*o]));
    for order in orders {
        let o = &mut s.orders[*order];
        (o.status, o.row, o.client) = (Some(Status::Pending), Some(lease), client);
    }
    may
}

/// What nobody may do: the `201` before the commit.
pub(crate) fn answer_early(road: &Road, s: &mut State, order: Nth) -> bool {
    let o = &mut s.orders[order];
    let may = road.is(Variant::AnswerBeforeCommit) && o.client == Client::Wants;
    o.client = Client::Knows;
    may
}

/// The client repeats its request with its key, and the order is there already.
pub(crate) fn explain(s: &mut State, (by, order): (Nth, Nth)) -> bool {
    let o = &mut s.orders[order];
    let may = !s.processes[by].gone && o.client == Client::Wants && o.status.is_some();
    o.client = Client::Knows;
    may
}
