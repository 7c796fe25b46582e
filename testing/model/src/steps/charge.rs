//! **charge** and **reply**: what a worker does with a request, and what the gateway makes of it.

use crate::road::Road;
use crate::state::{Charging, Delivery, Gateway, Order, Payment, Stage, State, Verdict};
use crate::two::Nth;
use crate::variant::Variant;
use crate::verb::Verb;

/// The broker delivers one of the requests that wait, whichever.
pub(crate) fn take(s: &mut State, by: Nth, order: Nth) -> bool {
    let (worker, o) = (&mut s.workers[by], &mut s.orders[order]);
    if worker.gone || worker.charging.is_some() || o.requests == 0 {
        return false;
    }
    o.requests -= 1;
    worker.charging = Some(Charging { order, stage: Stage::Taken, delivery: Delivery::Open });
    true
}

/// A step with the request in hand.
pub(crate) fn step(road: &Road, s: &mut State, (verb, by): (Verb, Nth)) -> bool {
    let Some(mut hand) = s.workers[by].charging else { return false };
    let o = &mut s.orders[hand.order];
    let Some(stage) = next(road, o, (verb, hand.stage)) else { return false };
    hand.stage = stage;
    if verb == Verb::Start && road.is(Variant::AckBeforeRecord) {
        hand.delivery = Delivery::Acked;
    }
    let dead = verb == Verb::DieAsking;
    if dead && hand.delivery == Delivery::Open {
        o.requests += 1;
    }
    s.workers[by].charging = Some(hand).filter(|_| !dead && verb != Verb::AckRequest);
    true
}

/// The stage after this step, if it can be taken in this one.
#[rustfmt::skip]
fn next(road: &Road, o: &mut Order, (verb, stage): (Verb, Stage)) -> Option<Stage> {
    match (verb, stage) {
        (Verb::Start, Stage::Taken) => Some(start(road, o)),
        (Verb::LookUp, Stage::ToLookUp) if o.gateway.captures > 0 => Some(Stage::Said(Verdict::Captured)),
        (Verb::LookUp, Stage::ToLookUp) => Some(Stage::ToCharge),
        (Verb::Capture, Stage::ToCharge) => capture(road, &mut o.gateway),
        (Verb::Decline, Stage::ToCharge) => decline(&mut o.gateway),
        (Verb::Finish, Stage::Said(verdict)) => Some(finish(o, verdict)),
        (Verb::Reply, Stage::Recorded(verdict)) => {
            *o.results.of(verdict) += 1;
            Some(Stage::Done)
        }
        (Verb::Depart, Stage::Unknown) => {
            o.requests += 1;
            Some(Stage::Done)
        }
        // The delivery goes with the hand.
        (Verb::AckRequest, Stage::Done) => Some(Stage::Done),
        (Verb::GatewayError, Stage::ToLookUp | Stage::ToCharge) | (Verb::DieAsking, Stage::ToCharge) => {
            o.gateway.in_flight |= stage == Stage::ToCharge;
            let declined = road.is(Variant::TimeoutIsDeclined);
            Some(if declined { Stage::Said(Verdict::Declined) } else { Stage::Unknown })
        }
        // The message is stored, the worker does not hear of it and will send it again.
        (Verb::AnswerUnheard, Stage::Recorded(verdict)) => {
            *o.results.of(verdict) += 1;
            Some(stage)
        }
        (Verb::AnswerUnheard, Stage::Unknown) => {
            o.requests += 1;
            Some(stage)
        }
        // It is not stored. Whoever waits for the confirm sends it again, and nothing has happened.
        (Verb::AnswerRefused, Stage::Recorded(_)) if road.is(Variant::ReplyUnconfirmed) => Some(Stage::Done),
        (Verb::AnswerRefused, Stage::Unknown) if road.is(Variant::CopyUnconfirmed) => Some(Stage::Done),
        _ => None,
    }
}

/// One row an order: the first request makes it, every other one finds it.
fn start(road: &Road, o: &mut Order) -> Stage {
    match o.payment {
        Some(Payment::Ended(verdict)) => Stage::Recorded(verdict),
        Some(Payment::Started) if road.is(Variant::NewKeyEachTime) => Stage::ToCharge,
        Some(Payment::Started) => Stage::ToLookUp,
        None => {
            o.payment = Some(Payment::Started);
            Stage::ToCharge
        }
    }
}

/// The verdict that was recorded first stays.
fn finish(o: &mut Order, said: Verdict) -> Stage {
    match o.payment {
        Some(Payment::Ended(verdict)) => Stage::Recorded(verdict),
        Some(Payment::Started) | None => {
            o.payment = Some(Payment::Ended(said));
            Stage::Recorded(said)
        }
    }
}

/// Under one key the gateway has one verdict: it captures once, and does not take back a decline.
fn capture(road: &Road, gateway: &mut Gateway) -> Option<Stage> {
    if gateway.declined && !road.is(Variant::FickleGateway) {
        return None;
    }
    if gateway.captures == 0 || charges_again(road) {
        gateway.captures += 1;
    }
    gateway.in_flight &= charges_again(road);
    Some(Stage::Said(Verdict::Captured))
}

fn decline(gateway: &mut Gateway) -> Option<Stage> {
    if gateway.captures > 0 {
        return None;
    }
    *gateway = Gateway { declined: true, in_flight: false, ..*gateway };
    Some(Stage::Said(Verdict::Declined))
}

/// A charge that was sent and not waited for is carried out after all.
pub(crate) fn late_capture(road: &Road, s: &mut State, order: Nth) -> bool {
    let gateway = &mut s.orders[order].gateway;
    let undecided = gateway.captures == 0 && !gateway.declined;
    let may = gateway.in_flight && (undecided || charges_again(road));
    gateway.captures += 1;
    gateway.in_flight = false;
    may
}

fn charges_again(road: &Road) -> bool {
    road.is(Variant::GatewayWithoutKeys) || road.is(Variant::NewKeyEachTime)
}
