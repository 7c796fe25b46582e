//! The promises as properties of a state, and the interesting cases that have to be reachable, so
//! that nothing holds only because nothing happens.

use stateright::Property;

use crate::pipeline::{Orders, Pipeline};
use crate::state::{Client, Delivery, Lease, Order, Payment, Relay, Stage, State, Status, Verdict};
use crate::two::Nth;

pub(crate) const COMMITTED: &str = "P1 a 201 means committed";
pub(crate) const ENDS: &str = "P1 every order has its end";
pub(crate) const CAPTURED_ONCE: &str = "P2 money is captured at most once";
pub(crate) const CONFIRMED_IFF: &str = "P2 confirmed if and only if captured";
pub(crate) const DECLINED: &str = "P3 canceled only by the gateway's own word";
pub(crate) const ROW: &str = "P4 an outbox row goes only after its requests are stored";
pub(crate) const DURABLE: &str = "P4 a pending order survives every death";
pub(crate) const RECORDED: &str = "P4 a verdict is recorded before a result or a final status";
pub(crate) const MOVES_ONCE: &str = "P5 a status moves once";

/// Every property that has to hold, and every case that has to be reachable.
pub(crate) fn all(orders: Orders) -> Vec<Property<Pipeline>> {
    let mut all = vec![
        Property::always(COMMITTED, |pipeline, s| {
            each(pipeline, s, |_, o| o.client != Client::Knows || o.status.is_some())
        }),
        Property::always(ENDS, |pipeline, s| ended(pipeline, s) || !pipeline.rests(s)),
        Property::always(CAPTURED_ONCE, |pipeline, s| {
            each(pipeline, s, |_, o| o.gateway.captures <= 1)
        }),
        Property::always(CONFIRMED_IFF, |pipeline, s| {
            let paid = |o: &Order| o.gateway.captures > 0;
            each(pipeline, s, |_, o| {
                !is_final(o) || (o.status == Some(Status::Confirmed)) == paid(o)
            })
        }),
        Property::always(DECLINED, |pipeline, s| {
            let no_money = Some(Payment::Ended(Verdict::Declined));
            let canceled = |o: &Order| o.status == Some(Status::Canceled) || o.payment == no_money;
            each(pipeline, s, |_, o| !canceled(o) || o.gateway.declined)
        }),
        Property::always(ROW, |pipeline, s| {
            each(pipeline, s, |_, o| o.status.is_none() || o.row.is_some() || o.relayed)
        }),
        Property::always(DURABLE, |pipeline, s| {
            each(pipeline, s, |nth, o| o.status != Some(Status::Pending) || is_durable(s, nth))
        }),
        Property::always(RECORDED, |pipeline, s| {
            let told = |o: &Order| is_final(o) || o.results.captured + o.results.declined > 0;
            each(pipeline, s, |_, o| !told(o) || matches!(o.payment, Some(Payment::Ended(_))))
        }),
        Property::always(MOVES_ONCE, |pipeline, s| each(pipeline, s, |_, o| o.moves <= 1)),
    ];
    all.extend(reachable());
    if orders == Orders::One {
        all.push(Property::sometimes(
            "a process or worker is dead for good and every order ends well",
            |pipeline, s| {
                let dead = |s: &State| s.processes.both().iter().any(|p| p.gone);
                (dead(s) || s.workers.both().iter().any(|w| w.gone)) && ended(pipeline, s)
            },
        ));
    } else {
        all.push(Property::sometimes(
            "one order is confirmed and the other canceled",
            |pipeline, s| {
                let has = |status| some(pipeline, s, |_, o| o.status == Some(status));
                has(Status::Confirmed) && has(Status::Canceled)
            },
        ));
    }
    if orders == Orders::TwoTogether {
        all.push(Property::sometimes(
            "of a row's orders one is relayed and one left",
            |pipeline, s| {
                some(pipeline, s, |_, o| o.row == Some(Lease::Over) && !o.relayed)
                    && some(pipeline, s, |_, o| o.row.is_none() && o.relayed)
            },
        ));
    }
    all
}

#[rustfmt::skip]
fn reachable() -> Vec<Property<Pipeline>> {
    vec![
        Property::sometimes("every order ends well", ended),
        Property::sometimes("a request is in its queue twice", |r, s| some(r, s, |_, o| o.requests > 1)),
        Property::sometimes("two workers process the same order", |_, s: &State| {
            let [a, b] = s.workers.both().map(|w| w.charging.map(|work| work.order));
            a.is_some() && a == b
        }),
        Property::sometimes("two processes relay the same order", |r, s| some(r, s, |nth, _| {
            s.processes.both().iter().all(|p| p.relays[nth] != Relay::Idle)
        })),
        Property::sometimes("money is captured and no running worker has recorded it", |r, s| some(r, s, |nth, o| {
            o.gateway.captures > 0 && o.payment == Some(Payment::Started)
                && s.workers.both().iter().all(|w| w.charging.is_none_or(|work| work.order != nth))
        })),
        Property::sometimes("money is captured after the worker stopped waiting", |r, s| some(r, s, |nth, o| {
            let unknown = |stage| stage == Stage::Unknown;
            o.gateway.captures > 0
                && s.workers.both().iter().any(|w| w.charging.is_some_and(|h| h.order == nth && unknown(h.stage)))
        })),
        Property::sometimes("a worker continues with a message that it has lost", |_, s: &State| {
            s.workers.both().iter().any(|w| w.charging.is_some_and(|work| work.delivery == Delivery::Lost))
        }),
        Property::sometimes("an order is final before its outbox row is removed", |r, s| {
            some(r, s, |_, o| is_final(o) && o.row.is_some())
        }),
        Property::sometimes("a 201 is lost and the client repeats the request", |r, s| {
            some(r, s, |_, o| o.client == Client::Wants && o.status.is_some())
        }),
        Property::sometimes("a result contradicts the final status", |_, s: &State| {
            s.processes.both().iter().any(|p| p.settling.is_some_and(|work| {
                let status = s.orders[work.order].status;
                !work.settled && status != Some(Status::Pending) && status != Some(work.verdict.into())
            }))
        }),
    ]
}

fn each(pipeline: &Pipeline, s: &State, holds: impl Fn(Nth, &Order) -> bool) -> bool {
    pipeline.orders.all().iter().all(|nth| holds(*nth, &s.orders[*nth]))
}

fn some(pipeline: &Pipeline, s: &State, holds: impl Fn(Nth, &Order) -> bool) -> bool {
    pipeline.orders.all().iter().any(|nth| holds(*nth, &s.orders[*nth]))
}

fn is_final(o: &Order) -> bool {
    matches!(o.status, Some(Status::Confirmed | Status::Canceled))
}

/// True if every client has its answer, every order is final, and outbox, queues, workers and
/// processes contain nothing of them.
fn ended(pipeline: &Pipeline, s: &State) -> bool {
    let over = |o: &Order| {
        let left = o.requests + o.results.captured + o.results.declined;
        o.client == Client::Knows && is_final(o) && o.row.is_none() && left == 0
    };
    each(pipeline, s, |_, o| over(o))
        && s.workers.both().iter().all(|w| w.charging.is_none())
        && s.processes.both().iter().all(|p| p.settling.is_none())
}

/// True if a durable record of the order exists, from which the pipeline continues: an outbox row,
/// a queued message, or an unacked one.
fn is_durable(s: &State, nth: Nth) -> bool {
    let o = &s.orders[nth];
    let waits = o.requests + o.results.captured + o.results.declined > 0;
    let open = |order: Nth, delivery| order == nth && delivery == Delivery::Open;
    o.row.is_some()
        || waits
        || s.workers.both().iter().any(|w| w.charging.is_some_and(|h| open(h.order, h.delivery)))
        || s.processes.both().iter().any(|p| p.settling.is_some_and(|h| open(h.order, h.delivery)))
}
