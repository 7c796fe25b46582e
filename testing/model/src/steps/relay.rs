//! **relay**: from an outbox row to stored requests, and what becomes of the row.

use crate::road::Road;
use crate::state::{Lease, Relay, State};
use crate::two::Nth;
use crate::variant::Variant;
use crate::verb::Verb;

/// The broker stores the request; its confirm is on the way. The lease was looked at before, and
/// whatever has happened since: nothing stops a publish that is under way.
pub(crate) fn publish(s: &mut State, (by, order): (Nth, Nth)) -> bool {
    let relay = &mut s.processes[by].relays[order];
    let may = *relay == Relay::Due;
    *relay = Relay::Stored;
    let o = &mut s.orders[order];
    o.relayed = true;
    o.requests += 1;
    may
}

/// The broker does not store it (a nack, or a cut connection), or the confirm is lost.
pub(crate) fn unconfirmed(s: &mut State, verb: Verb, (by, order): (Nth, Nth)) -> bool {
    let relay = &mut s.processes[by].relays[order];
    let from = if verb == Verb::RequestRefused { Relay::Due } else { Relay::Stored };
    let may = *relay == from;
    *relay = Relay::Unconfirmed;
    may
}

/// Whoever notices that its lease is over before it has published leaves the row alone.
pub(crate) fn past_lease(road: &Road, s: &mut State, (by, row): (Nth, Nth)) -> bool {
    let orders = road.orders.of_row(row);
    let own = s.processes[by].relays;
    let others = s.processes[by.other()].relays;
    let over = orders.iter().all(|o| s.orders[*o].row != Some(Lease::Held))
        || orders.iter().any(|o| others[*o] != Relay::Idle);
    let begun = orders.iter().any(|o| !matches!(own[*o], Relay::Idle | Relay::Due));
    let any = orders.iter().any(|o| own[*o] == Relay::Due);
    forget(s, by, orders);
    any && over && !begun
}

/// All orders of the row that were published are confirmed: the row goes.
pub(crate) fn remove(road: &Road, s: &mut State, (by, row): (Nth, Nth)) -> bool {
    let orders = road.orders.of_row(row);
    let own = s.processes[by].relays;
    let confirmed = orders.iter().all(|o| own[*o] != Relay::Unconfirmed);
    let may = published(s, by, orders) && (confirmed || road.is(Variant::RemoveUnconfirmed));
    for order in orders {
        s.orders[*order].row = None;
    }
    forget(s, by, orders);
    may
}

/// Some are not confirmed: the row shrinks to those, and anybody may claim it. A row that has
/// none of them any more stays as it is.
pub(crate) fn retain(road: &Road, s: &mut State, (by, row): (Nth, Nth)) -> bool {
    let orders = road.orders.of_row(row);
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

/// The sweep takes a row whose lease is over.
pub(crate) fn claim(road: &Road, s: &mut State, (by, row): (Nth, Nth)) -> bool {
    let orders = road.orders.of_row(row);
    let process = &mut s.processes[by];
    let idle = orders.iter().all(|o| process.relays[*o] == Relay::Idle);
    let free = orders.iter().any(|o| s.orders[*o].row == Some(Lease::Over));
    let may = idle && free && !process.gone && !road.is(Variant::NoSweep);
    for order in orders {
        if let Some(lease) = &mut s.orders[*order].row {
            *lease = Lease::Held;
            process.relays[*order] = Relay::Due;
        }
    }
    may
}

/// Time passes. That a lease ends while somebody still publishes is a fault.
pub(crate) fn lease_ends(road: &Road, s: &mut State, (verb, row): (Verb, Nth)) -> bool {
    let orders = road.orders.of_row(row);
    let processes = s.processes.both();
    let publishing = orders.iter().any(|o| processes.iter().any(|p| p.relays[*o] != Relay::Idle));
    let held = orders.iter().any(|o| s.orders[*o].row == Some(Lease::Held));
    for order in orders {
        let row = &mut s.orders[*order].row;
        *row = row.map(|_| Lease::Over);
    }
    let endless = road.is(Variant::EndlessLease);
    held && !endless && publishing == (verb == Verb::LeaseEndsEarly)
}

/// Whether the process has tried to publish all it had of the row.
fn published(s: &State, by: Nth, orders: &[Nth]) -> bool {
    let own = s.processes[by].relays;
    orders.iter().all(|o| own[*o] != Relay::Due) && orders.iter().any(|o| own[*o] != Relay::Idle)
}

fn forget(s: &mut State, by: Nth, orders: &[Nth]) {
    for order in orders {
        s.processes[by].relays[*order] = Relay::Idle;
    }
}
