//! **settle**: from a result to the order's final status.

use crate::pipeline::Pipeline;
use crate::state::{Delivery, Settling, State, Status, Verdict};
use crate::two::Nth;
use crate::variant::Variant;
use crate::verb::Verb;

/// The broker delivers any of the waiting results.
pub(crate) fn take(s: &mut State, verb: Verb, by: Nth, order: Nth) -> bool {
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

/// One commit, which moves only a pending order.
pub(crate) fn settle(pipeline: &Pipeline, s: &mut State, by: Nth) -> bool {
    let Some(work) = s.processes[by].settling.as_mut().filter(|work| !work.settled) else {
        return false;
    };
    work.settled = true;
    let o = &mut s.orders[work.order];
    if o.status == Some(Status::Pending) || pipeline.is(Variant::NoStatusGuard) {
        o.status = Some(work.verdict.into());
        o.moves += 1;
    }
    true
}

/// The ack, which follows the commit.
pub(crate) fn ack(pipeline: &Pipeline, s: &mut State, by: Nth) -> bool {
    let Some(work) = &mut s.processes[by].settling else { return false };
    if work.settled {
        s.processes[by].settling = None;
        return true;
    }
    let early = pipeline.is(Variant::SettleAcksFirst) && work.delivery == Delivery::Open;
    work.delivery = Delivery::Acked;
    early
}
