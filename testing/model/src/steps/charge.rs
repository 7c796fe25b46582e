//! **charge** and **reply**: a worker's steps with a request, and the gateway's steps.

use crate::pipeline::Pipeline;
use crate::state::{Charging, Delivery, Gateway, Order, Payment, Stage, State, Verdict};
use crate::two::Nth;
use crate::variant::Variant;
use crate::verb::Verb;

/// The broker delivers any of the waiting requests.
pub(crate) fn take(s: &mut State, by: Nth, order: Nth) -> bool {
    let (worker, o) = (&mut s.workers[by], &mut s.orders[order]);
    if worker.gone || worker.charging.is_some() || o.requests == 0 {
        return false;
    }
    o.requests -= 1;
    worker.charging = Some(Charging { order, stage: Stage::Taken, delivery: Delivery::Open });
    true
}

/// A step with the unacked request.
pub(crate) fn step(pipeline: &Pipeline, s: &mut State, verb: Verb, by: Nth) -> bool {
    let Some(mut work) = s.workers[by].charging else { return false };
    let o = &mut s.orders[work.order];
    let Some(stage) = next(pipeline, o, verb, work.stage) else { return false };
    work.stage = stage;
    if verb == Verb::Start && pipeline.is(Variant::AckBeforeRecord) {
        work.delivery = Delivery::Acked;
    }
    let dead = verb == Verb::DieAsking;
    if dead && work.delivery == Delivery::Open {
        o.requests += 1;
    }
    s.workers[by].charging = Some(work).filter(|_| !dead && verb != Verb::AckRequest);
    true
}

/// The stage after this step, if it can be taken in this one.
#[rustfmt::skip]
fn next(pipeline: &Pipeline, o: &mut Order, verb: Verb, stage: Stage) -> Option<Stage> {
    match (verb, stage) {
        (Verb::Start, Stage::Taken) => Some(start(pipeline, o)),
        (Verb::LookUp, Stage::ToLookUp) if o.gateway.captures > 0 => Some(Stage::Said(Verdict::Captured)),
        (Verb::LookUp, Stage::ToLookUp) => Some(Stage::ToCharge),
        (Verb::Capture, Stage::ToCharge) => capture(pipeline, &mut o.gateway),
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
        // The delivery ends with the work.
        (Verb::AckRequest, Stage::Done) => Some(Stage::Done),
        (Verb::GatewayError, Stage::ToLookUp | Stage::ToCharge) | (Verb::DieAsking, Stage::ToCharge) => {
            o.gateway.in_flight |= stage == Stage::ToCharge;
            let declined = pipeline.is(Variant::TimeoutIsDeclined);
            Some(if declined { Stage::Said(Verdict::Declined) } else { Stage::Unknown })
        }
        // The message is stored, the confirm is lost, and the worker will publish it again.
        (Verb::AnswerUnheard, Stage::Recorded(verdict)) => {
            *o.results.of(verdict) += 1;
            Some(stage)
        }
        (Verb::AnswerUnheard, Stage::Unknown) => {
            o.requests += 1;
            Some(stage)
        }
        // The message is not stored. The worker, which waits for the confirm, publishes it again,
        // so the state does not change.
        (Verb::AnswerRefused, Stage::Recorded(_)) if pipeline.is(Variant::ReplyUnconfirmed) => Some(Stage::Done),
        (Verb::AnswerRefused, Stage::Unknown) if pipeline.is(Variant::CopyUnconfirmed) => Some(Stage::Done),
        _ => None,
    }
}

/// One payment row per order: the first request inserts it, every other request finds it.
fn start(pipeline: &Pipeline, o: &mut Order) -> Stage {
    match o.payment {
        Some(Payment::Ended(verdict)) => Stage::Recorded(verdict),
        Some(Payment::Started) if pipeline.is(Variant::NewKeyEachTime) => Stage::ToCharge,
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

/// Under one key the gateway has one verdict: it captures once, and does not revoke a decline.
fn capture(pipeline: &Pipeline, gateway: &mut Gateway) -> Option<Stage> {
    if gateway.declined && !pipeline.is(Variant::FickleGateway) {
        return None;
    }
    if gateway.captures == 0 || charges_again(pipeline) {
        gateway.captures += 1;
    }
    gateway.in_flight &= charges_again(pipeline);
    Some(Stage::Said(Verdict::Captured))
}

fn decline(gateway: &mut Gateway) -> Option<Stage> {
    if gateway.captures > 0 {
        return None;
    }
    *gateway = Gateway { declined: true, in_flight: false, ..*gateway };
    Some(Stage::Said(Verdict::Declined))
}

/// A charge whose caller stopped waiting is carried out after all.
pub(crate) fn late_capture(pipeline: &Pipeline, s: &mut State, order: Nth) -> bool {
    let gateway = &mut s.orders[order].gateway;
    let undecided = gateway.captures == 0 && !gateway.declined;
    let may = gateway.in_flight && (undecided || charges_again(pipeline));
    gateway.captures += 1;
    gateway.in_flight = false;
    may
}

fn charges_again(pipeline: &Pipeline) -> bool {
    pipeline.is(Variant::GatewayWithoutKeys) || pipeline.is(Variant::NewKeyEachTime)
}
