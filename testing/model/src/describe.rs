//! Descriptions of steps.

use crate::pipeline::Step;
use crate::state::{Stage, State, Verdict};
use crate::two::Nth;
use crate::verb::{Origin, Scope, Verb};

/// Describes a step's effect in this state, and names its function.
pub fn describe(before: &State, step: Step) -> String {
    let Step { verb, by, .. } = step;
    let order = unacked_order(before, step);
    let who = match verb.scope() {
        Scope::ProcessAndOrder | Scope::ProcessAndRow | Scope::Process => "process",
        Scope::WorkerAndOrder | Scope::Worker => "worker",
        Scope::Order | Scope::Row | Scope::All => "",
    };
    let number = match by {
        Nth::First => 1,
        Nth::Second => 2,
    };
    let who = if who.is_empty() { String::new() } else { format!("{who} {number} ") };
    let origin = match verb.origin() {
        Origin::Code(file, function) => format!("  [{function}, {file}]"),
        Origin::Environment => "  [time]".to_owned(),
        Origin::Fault => "  [FAULT]".to_owned(),
    };
    let name = match order {
        Nth::First => "A",
        Nth::Second => "B",
    };
    format!("{who}{}{origin}", action(verb, stage(before, step)).replace('#', name))
}

fn unacked_order(before: &State, step: Step) -> Nth {
    let work = match step.verb.scope() {
        Scope::Worker => before.workers[step.by].charging.map(|work| work.order),
        Scope::Process => before.processes[step.by].settling.map(|work| work.order),
        Scope::ProcessAndOrder
        | Scope::ProcessAndRow
        | Scope::WorkerAndOrder
        | Scope::Order
        | Scope::Row
        | Scope::All => None,
    };
    work.unwrap_or(step.order)
}

fn stage(before: &State, step: Step) -> Option<Stage> {
    before.workers[step.by].charging.map(|work| work.stage)
}

#[rustfmt::skip]
fn action(verb: Verb, stage: Option<Stage>) -> &'static str {
    let copy = stage == Some(Stage::Unknown);
    match verb {
        Verb::Place => "commits order # with its outbox row and a lease, answers 201",
        Verb::PlaceUnleased => "commits order # while the broker is unavailable (the lease is empty), answers 201",
        Verb::PlaceAndDie => "commits order # with its outbox row, and dies before it answers",
        Verb::AnswerEarly => "answers the client: 201 for order #",
        Verb::Explain => "finds order # under the client's key, and answers 201",
        Verb::Publish => "publishes the request for order #, and the broker stores it",
        Verb::PastLease => "finds its lease on the row of order # over, and leaves it",
        Verb::Remove => "removes the outbox row of order #",
        Verb::Retain => "frees what is not confirmed of the outbox row of order #",
        Verb::Claim => "claims the outbox row of order #",
        Verb::TakeCaptured => "is delivered the result of order #: captured",
        Verb::TakeDeclined => "is delivered the result of order #: declined",
        Verb::Settle => "commits the status of order #",
        Verb::AckResult => "acks the result of order #",
        Verb::TakeRequest => "is delivered the request for order #",
        Verb::Start => "records the payment of order # as started, or finds what is recorded",
        Verb::LookUp => "looks up order # at the gateway",
        Verb::Capture => "charges order #, and the gateway answers: captured",
        Verb::Decline => "charges order #, and the gateway answers: declined",
        Verb::Finish => record(stage),
        Verb::Reply => "replies for order #, and the broker stores it",
        Verb::Depart => "publishes a copy of the request for order # to the retry queue",
        Verb::AckRequest => "acks the request for order #",
        Verb::LeaseEnds => "the lease on the row of order # ends",
        Verb::LeaseEndsEarly => "the lease on the row of order # ends while a process publishes it",
        Verb::LateCapture => "the gateway captures order # after all, and no worker waits for the answer",
        Verb::DropRequest | Verb::DropResult => "drops its work on order #, whose message it has lost",
        Verb::RequestRefused => "publishes the request for order #, and the broker does not store it",
        Verb::RequestUnheard => "gets no confirm for order #",
        Verb::AnswerRefused if copy => "publishes a copy of the request for order #, and the broker does not store it",
        Verb::AnswerRefused => "replies for order #, and the broker does not store it",
        Verb::AnswerUnheard if copy => "publishes a copy of the request for order # to the retry queue, and gets no confirm",
        Verb::AnswerUnheard => "replies for order #, and gets no confirm",
        Verb::GatewayError => "calls the gateway for order #, and gets no answer in time",
        Verb::DieAsking => "dies while the gateway charges order #",
        Verb::Duplicate => "the broker moves the request for order # on twice",
        Verb::Stray => "a late result contradicts the status of order #",
        Verb::CutWorker | Verb::CutProcess => "loses its connection, and the message of order # is requeued",
        Verb::RestartBroker => "every connection to the broker is cut",
        Verb::KillWorker | Verb::KillProcess => "is killed and started again",
        Verb::LoseWorker | Verb::LoseProcess => "dies and does not come back",
    }
}

fn record(stage: Option<Stage>) -> &'static str {
    if stage == Some(Stage::Said(Verdict::Captured)) {
        "records the payment of order # as captured"
    } else {
        "records the payment of order # as declined"
    }
}
