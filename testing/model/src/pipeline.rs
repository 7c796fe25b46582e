//! The pipeline as a model of stateright: the initial state, the steps, and the effect of each
//! step.

use stateright::{Model, Property};

use crate::properties;
use crate::state::State;
use crate::steps::{charge, environment, intake, relay, settle};
use crate::two::Nth;
use crate::variant::Variant;
use crate::verb::{Scope, Verb};

/// A step: a verb, its actor and its order. An outbox row is named by its first order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The kind of step.
    pub verb: Verb,
    /// The process or worker that takes the step.
    pub by: Nth,
    /// The order or row concerned.
    pub order: Nth,
}

/// The number of orders, and their distribution over commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orders {
    /// One order.
    One,
    /// Two, each in a commit and an outbox row of its own.
    TwoApart,
    /// Two in one commit, with one outbox row.
    TwoTogether,
}

impl Orders {
    /// The orders.
    pub fn all(self) -> &'static [Nth] {
        match self {
            Orders::One => &[Nth::First],
            Orders::TwoApart | Orders::TwoTogether => &Nth::BOTH,
        }
    }

    /// The first order of each outbox row, which names the row.
    fn rows(self) -> &'static [Nth] {
        match self {
            Orders::One | Orders::TwoTogether => &[Nth::First],
            Orders::TwoApart => &Nth::BOTH,
        }
    }

    /// The orders that share the row of this one.
    pub(crate) fn of_row(self, row: Nth) -> &'static [Nth] {
        match (self, row) {
            (Orders::TwoTogether, _) => &Nth::BOTH,
            (Orders::One | Orders::TwoApart, Nth::First) => &[Nth::First],
            (Orders::One | Orders::TwoApart, Nth::Second) => &[Nth::Second],
        }
    }
}

/// The system under check: two processes, two workers, and a number of orders and faults.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The orders.
    pub orders: Orders,
    /// The most faults on one path.
    pub faults: u8,
    /// The deliberate break, if any.
    pub variant: Option<Variant>,
    steps: Vec<Step>,
}

impl Pipeline {
    /// The pipeline of the code.
    pub fn sound(orders: Orders, faults: u8) -> Pipeline {
        let steps = Verb::ALL.into_iter().flat_map(|verb| steps_of(verb, orders)).collect();
        Pipeline { orders, faults, variant: None, steps }
    }

    /// A broken variant of the pipeline, with one order.
    pub fn broken(variant: Variant) -> Pipeline {
        Pipeline { variant: Some(variant), ..Pipeline::sound(Orders::One, variant.faults()) }
    }

    /// True if the pipeline is this broken variant.
    pub(crate) fn is(&self, variant: Variant) -> bool {
        self.variant == Some(variant)
    }

    /// True if no step except faults is left.
    pub(crate) fn rests(&self, state: &State) -> bool {
        let mut free = self.steps.iter().filter(|step| !step.verb.is_fault());
        !free.any(|step| self.taken(state, *step).is_some())
    }

    /// The state after a step; `None` if the step is impossible.
    pub fn taken(&self, state: &State, step: Step) -> Option<State> {
        let mut next = *state;
        if step.verb.is_fault() {
            next.faults = next.faults.checked_sub(1)?;
        }
        self.take(&mut next, step).then_some(next)
    }

    #[rustfmt::skip]
    fn take(&self, s: &mut State, Step { verb, by, order }: Step) -> bool {
        match verb {
            Verb::Place => intake::place(self, s, by, order),
            Verb::PlaceUnleased => intake::place_unleased(self, s, by, order),
            Verb::PlaceAndDie => intake::place_and_die(self, s, by, order),
            Verb::AnswerEarly => intake::answer_early(self, s, order),
            Verb::Explain => intake::explain(s, by, order),
            Verb::Publish => relay::publish(s, by, order),
            Verb::PastLease => relay::past_lease(self, s, by, order),
            Verb::Remove => relay::remove(self, s, by, order),
            Verb::Retain => relay::retain(self, s, by, order),
            Verb::Claim => relay::claim(self, s, by, order),
            Verb::TakeCaptured | Verb::TakeDeclined => settle::take(s, verb, by, order),
            Verb::Settle => settle::settle(self, s, by),
            Verb::AckResult => settle::ack(self, s, by),
            Verb::TakeRequest => charge::take(s, by, order),
            Verb::Start | Verb::LookUp | Verb::Capture | Verb::Decline | Verb::Finish
            | Verb::Reply | Verb::Depart | Verb::AckRequest | Verb::AnswerRefused
            | Verb::AnswerUnheard | Verb::GatewayError | Verb::DieAsking => charge::step(self, s, verb, by),
            Verb::LeaseEnds | Verb::LeaseEndsEarly => relay::lease_ends(self, s, verb, order),
            Verb::RequestRefused | Verb::RequestUnheard => relay::unconfirmed(s, verb, by, order),
            Verb::LateCapture => charge::late_capture(self, s, order),
            Verb::Duplicate => environment::duplicate(s, order),
            Verb::Stray => environment::stray(s, order),
            Verb::DropRequest => environment::drop_request(s, by),
            Verb::DropResult => environment::drop_result(s, by),
            Verb::CutWorker => environment::cut_worker(s, by),
            Verb::CutProcess => environment::cut_process(s, by),
            Verb::RestartBroker => environment::restart_broker(s),
            Verb::KillWorker => environment::kill_worker(s, by),
            Verb::KillProcess => environment::kill_process(s, by),
            Verb::LoseWorker => environment::lose_worker(s, by),
            Verb::LoseProcess => environment::lose_process(s, by),
        }
    }
}

/// Every step of one kind.
fn steps_of(verb: Verb, orders: Orders) -> Vec<Step> {
    const ONE: &[Nth] = &[Nth::First];
    // A death for good is checked with one order only: with two orders there would be too many
    // states.
    if orders != Orders::One && matches!(verb, Verb::LoseWorker | Verb::LoseProcess) {
        return Vec::new();
    }
    let (actors, objects) = match verb.scope() {
        Scope::ProcessAndOrder | Scope::WorkerAndOrder => (&Nth::BOTH[..], orders.all()),
        Scope::ProcessAndRow => (&Nth::BOTH[..], orders.rows()),
        Scope::Process | Scope::Worker => (&Nth::BOTH[..], ONE),
        Scope::Order => (ONE, orders.all()),
        Scope::Row => (ONE, orders.rows()),
        Scope::All => (ONE, ONE),
    };
    let with = |by| objects.iter().map(move |order| Step { verb, by, order: *order });
    actors.iter().copied().flat_map(with).collect()
}

impl Model for Pipeline {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.faults)]
    }

    fn actions(&self, _: &State, steps: &mut Vec<Step>) {
        steps.extend(&self.steps);
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        self.taken(state, step)
    }

    fn properties(&self) -> Vec<Property<Pipeline>> {
        properties::all(self.orders)
    }
}
