//! **relay**: from an outbox row to stored requests, and to the removal of the row.

use crate::pipeline::Pipeline;
use crate::state::{Lease, Relay, State};
use crate::two::Nth;
use crate::variant::Variant;
use crate::verb::Verb;

/// The broker stores the request; its confirm is on the way. The lease was checked earlier, and a
/// later change of the lease does not stop the publish.
pub(crate) fn publish(s: &mut State, by: Nth, order: Nth) -> bool {
    let relay = &mut s.processes[by].relays[order];
    let may = *relay == Relay::Due;
    *relay = Relay::Stored;
    let o = &mut s.orders[order];
    o.relayed = true;
    o.requests += 1;
    may
}

/// The broker does not store it (a nack, or a cut connection), or the confirm is lost.
pub(crate) fn unconfirmed(s: &mut State, verb: Verb, by: Nth, order: Nth) -> bool {
    let relay = &mut s.processes[by].relays[order];
    let from = if verb == Verb::RequestRefused { Relay::Due } else { Relay::Stored };
    let may = *relay == from;
    *relay = Relay::Unconfirmed;
    may
}

/// A process that notices the end of its lease before it has published leaves the row alone.
pub(crate) fn past_lease(pipeline: &Pipeline, s: &mut State, by: Nth, row: Nth) -> bool {
    let orders = pipeline.orders.of_row(row);
    let own = s.processes[by].relays;
    let others = s.processes[by.other()].relays;
    let over = orders.iter().all(|o| s.orders[*o].row != Some(Lease::Held))
        || orders.iter().any(|o| others[*o] != Relay::Idle);
    let begun = orders.iter().any(|o| !matches!(own[*o], Relay::Idle | Relay::Due));
    let any = orders.iter().any(|o| own[*o] == Relay::Due);
    forget(s, by, orders);
    any && over && !begun
}

/// All published orders of the row are confirmed: the row is removed.
pub(crate) fn remove(pipeline: &Pipeline, s: &mut State, by: Nth, row: Nth) -> bool {
    let orders = pipeline.orders.of_row(row);
    let own = s.processes[by].relays;
    let confirmed = orders.iter().all(|o| own[*o] != Relay::Unconfirmed);
    let may = published(s, by, orders) && (confirmed || pipeline.is(Variant::RemoveUnconfirmed));
    for order in orders {
        s.orders[*order].row = None;
    }
    forget(s, by, orders);
    may
}

/// Some orders are not confirmed: the row shrinks to these, and any process may claim it. A row
/// that contains none of them any more stays unchanged.
pub(crate) fn retain(pipeline: &Pipeline, s: &mut State, by: Nth, row: Nth) -> bool {
    let orders = pipeline.orders.of_row(row);
    let own = s.processes[by].relays;
    let unconfirmed = |o: &Nth| own[*o] == Relay::Unconfirmed;
    let may = published(s, by, orders) && orders.iter().any(unconfirmed);
    if orders.iter().any(|o| unconfirmed(o) && s.orders[*o].row.is_some()) {
        for order in orders {
            let o = &mut s.orders[*order];
            o.row = o.row.filter(|_| unconfirmed(order)).map(|_| Lease::Over);
        }
    }
    forget(s, by, orders);
    may
}

/// The sweep claims a row whose lease is over.
pub(crate) fn claim(pipeline: &Pipeline, s: &mut State, by: Nth, row: Nth) -> bool {
    let orders = pipeline.orders.of_row(row);
    let process = &mut s.processes[by];
    let idle = orders.iter().all(|o| process.relays[*o] == Relay::Idle);
    let free = orders.iter().any(|o| s.orders[*o].row == Some(Lease::Over));
    let may = idle && free && !process.gone && !pipeline.is(Variant::NoSweep);
    for order in orders {
        if let Some(lease) = &mut s.orders[*order].row {
            *lease = Lease::Held;
            process.relays[*order] = Relay::Due;
        }
    }
    may
}

/// A lease ends. The end of a lease while a process still publishes is a fault.
pub(crate) fn lease_ends(pipeline: &Pipeline, s: &mut State, verb: Verb, row: Nth) -> bool {
    let orders = pipeline.orders.of_row(row);
    let processes = s.processes.both();
    let publishing = orders.iter().any(|o| processes.iter().any(|p| p.relays[*o] != Relay::Idle));
    let held = orders.iter().any(|o| s.orders[*o].row == Some(Lease::Held));
    for order in orders {
        let row = &mut s.orders[*order].row;
        *row = row.map(|_| Lease::Over);
    }
    let endless = pipeline.is(Variant::EndlessLease);
    held && !endless && publishing == (verb == Verb::LeaseEndsEarly)
}

/// True if the process has tried to publish all its orders of the row.
fn published(s: &State, by: Nth, orders: &[Nth]) -> bool {
    let own = s.processes[by].relays;
    orders.iter().all(|o| own[*o] != Relay::Due) && orders.iter().any(|o| own[*o] != Relay::Idle)
}

fn forget(s: &mut State, by: Nth, orders: &[Nth]) {
    for order in orders {
        s.processes[by].relays[*order] = Relay::Idle;
    }
}
