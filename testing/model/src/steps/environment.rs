//! Deaths, cuts and repetitions.

use crate::state::{Charging, Delivery, Process, Relay, Settling, State, Status, Verdict, Worker};
use crate::two::{Nth, Two};

/// A request is in its queue twice: the broker moves a message from a retry queue at least once.
pub(crate) fn duplicate(s: &mut State, order: Nth) -> bool {
    let requests = &mut s.orders[order].requests;
    let may = *requests > 0;
    *requests += 1;
    may
}

/// A late result contradicts the final status.
pub(crate) fn stray(s: &mut State, order: Nth) -> bool {
    let o = &mut s.orders[order];
    let (may, contrary) = match o.status {
        None | Some(Status::Pending) => (false, Verdict::Captured),
        Some(Status::Confirmed) => (true, Verdict::Declined),
        Some(Status::Canceled) => (true, Verdict::Captured),
    };
    *o.results.of(contrary) += 1;
    may
}

/// A worker dies and is started again: its memory is lost, its message is requeued.
pub(crate) fn kill_worker(s: &mut State, by: Nth) -> bool {
    let Some(work) = s.workers[by].charging.take() else { return false };
    give_back_request(s, work);
    true
}

/// A worker dies for good, while there is another one.
pub(crate) fn lose_worker(s: &mut State, by: Nth) -> bool {
    let may = !s.workers[by].gone && !s.workers[by.other()].gone;
    kill_worker(s, by);
    s.workers[by].gone = true;
    may
}

/// A process dies and is started again.
pub(crate) fn kill_process(s: &mut State, by: Nth) -> bool {
    let before = *s;
    let gone = s.processes[by].gone;
    if let Some(work) = s.processes[by].settling {
        give_back_result(s, work);
    }
    s.processes[by] = Process { relays: Two::of(Relay::Idle), settling: None, gone };
    before != *s
}

/// A process dies for good, while there is another one.
pub(crate) fn lose_process(s: &mut State, by: Nth) -> bool {
    let may = !s.processes[by].gone && !s.processes[by.other()].gone;
    kill_process(s, by);
    s.processes[by].gone = true;
    may
}

/// The worker's connection is cut: the message is requeued, and the work continues for a while.
pub(crate) fn cut_worker(s: &mut State, by: Nth) -> bool {
    let Some(work) = s.workers[by].charging else { return false };
    give_back_request(s, work);
    s.workers[by].charging = Some(Charging { delivery: Delivery::Lost, ..work });
    work.delivery == Delivery::Open
}

/// The same for a process with an unacked result.
pub(crate) fn cut_process(s: &mut State, by: Nth) -> bool {
    let Some(work) = s.processes[by].settling else { return false };
    give_back_result(s, work);
    s.processes[by].settling = Some(Settling { delivery: Delivery::Lost, ..work });
    work.delivery == Delivery::Open
}

/// Every connection is cut at once; stored messages are still there when the broker is back.
pub(crate) fn restart_broker(s: &mut State) -> bool {
    let before = *s;
    for by in Nth::BOTH {
        cut_worker(s, by);
        cut_process(s, by);
        for order in Nth::BOTH {
            let relay = &mut s.processes[by].relays[order];
            if *relay == Relay::Stored {
                *relay = Relay::Unconfirmed;
            }
        }
    }
    before != *s
}

/// A worker drops its work on a requeued message at the next await.
pub(crate) fn drop_request(s: &mut State, by: Nth) -> bool {
    let Worker { charging, .. } = &mut s.workers[by];
    let lost = charging.is_some_and(|work| work.delivery == Delivery::Lost);
    *charging = None;
    lost
}

/// The same for a result.
pub(crate) fn drop_result(s: &mut State, by: Nth) -> bool {
    let Process { settling, .. } = &mut s.processes[by];
    let lost = settling.is_some_and(|work| work.delivery == Delivery::Lost);
    *settling = None;
    lost
}

fn give_back_request(s: &mut State, work: Charging) {
    if work.delivery == Delivery::Open {
        s.orders[work.order].requests += 1;
    }
}

fn give_back_result(s: &mut State, work: Settling) {
    if work.delivery == Delivery::Open {
        *s.orders[work.order].results.of(work.verdict) += 1;
    }
}
