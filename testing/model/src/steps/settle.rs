//! **settle**: from a result to the order's final status.

use crate::road::Road;
use crate::state::{Delivery, Settling, State, Status, Verdict};
use crate::two::Nth;
use crate::variant::Variant;
use crate::verb::Verb;

/// The broker delivers one of the results that wait, whichever.
pub(crate) fn take(s: &mut State, verb: Verb, (by, order): (Nth, Nth)) -> bool {
    let captured = verb == Verb::TakeCaptured;
    let verdict = if captured { Verdict::Captured } else { Verdict::Declined };
    let (process, waiting) = (&mut s.processes[by], s.orders[order].results.of(verdict));
    if process.gone || process.settling.is_some() || *waiting == 0 {
        return false;
    }
    *waiting -= 1;
    let delivery = Delivery::Open;
    process.settling = Some(Settling { order, verdict, settled: false, delivery });
    true
}

/// One commit, and only what is pending moves.
pub(crate) fn settle(road: &Road, s: &mut State, by: Nth) -> bool {
    let Some(hand) = s.processes[by].settling.as_mut().filter(|hand| !hand.settled) else {
        return false;
    };
    hand.settled = true;
    let o = &mut s.orders[hand.order];
    if o.status == Some(Status::Pending) || road.is(Variant::NoStatusGuard) {
        o.status = Some(hand.verdict.into());
        o.moves += 1;
    }
    true
}

/// Once the commit is there, the message may go.
pub(crate) fn ack(road: &Road, s: &mut State, by: Nth) -> bool {
    let Some(hand) = &mut s.processes[by].settling else { return false };
    if hand.settled {
        s.processes[by].settling = None;
        return true;
    }
    let early = road.is(Variant::SettleAcksFirst) && hand.delivery == Delivery::Open;
    hand.delivery = Delivery::Acked;
    early
}
