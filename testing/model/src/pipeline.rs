//! The road as stateright sees it: how it begins, which steps there are, what a step does.

use stateright::{Model, Property};

use crate::properties;
use crate::state::State;
use crate::steps::{charge, environment, intake, relay, settle};
use crate::two::Nth;
use crate::variant::Variant;
use crate::verb::{Scope, Verb};

/// A step: what is done, by whom, with which order. A row is named by its first order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// What is done.
    pub verb: Verb,
    /// Which process or worker it is done by.
    pub by: Nth,
    /// Which order or row it is done with.
    pub order: Nth,
}

/// How many orders there are, and how they are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orders {
    /// One.
    One,
    /// Two, each in a commit and an outbox row of its own.
    TwoApart,
    /// Two in one commit, with one outbox row.
    TwoTogether,
}

impl Orders {
    /// Which orders there are.
    pub fn all(self) -> &'static [Nth] {
        match self {
            Orders::One => &[Nth::First],
            Orders::TwoApart | Orders::TwoTogether => &Nth::BOTH,
        }
    }

    /// The first order of each outbox row, which names it.
    fn rows(self) -> &'static [Nth] {
        match self {
            Orders::One | Orders::TwoTogether => &[Nth::First],
            Orders::TwoApart => &Nth::BOTH,
        }
    }

    /// The orders that are placed together with this one, and share its row.
    pub(crate) fn of_row(self, row: Nth) -> &'static [Nth] {
        match (self, row) {
            (Orders::TwoTogether, _) => &Nth::BOTH,
            (Orders::One | Orders::TwoApart, Nth::First) => &[Nth::First],
            (Orders::One | Orders::TwoApart, Nth::Second) => &[Nth::Second],
        }
    }
}

/// What is checked: two processes, two workers, and so many orders and faults.
#[derive(Clone, Debug)]
pub struct Road {
    /// The orders.
    pub orders: Orders,
    /// The most faults on one path.
    pub faults: u8,
    /// What is broken on purpose, if anything is.
    pub variant: Option<Variant>,
    steps: Vec<Step>,
}

impl Road {
    /// The road as the code has it.
    pub fn sound(orders: Orders, faults: u8) -> Road {
        let steps = Verb::ALL.into_iter().flat_map(|verb| steps_of(verb, orders)).collect();
        Road { orders, faults, variant: None, steps }
    }

    /// The road of one order with something broken on purpose.
    pub fn broken(variant: Variant) -> Road {
        Road { variant: Some(variant), ..Road::sound(Orders::One, variant.faults()) }
    }

    /// Whether this is what is broken on purpose.
    pub(crate) fn is(&self, variant: Variant) -> bool {
        self.variant == Some(variant)
    }

    /// Whether nothing happens any more unless something goes wrong first.
    pub(crate) fn rests(&self, state: &State) -> bool {
        let mut free = self.steps.iter().filter(|step| !step.verb.is_fault());
        !free.any(|step| self.taken(state, *step).is_some())
    }

    /// The world after a step; `None` where it cannot be taken.
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
            Verb::Place => intake::place(self, s, (by, order)),
            Verb::PlaceUnleased => intake::place_unleased(self, s, (by, order)),
            Verb::PlaceAndDie => intake::place_and_die(self, s, (by, order)),
            Verb::AnswerEarly => intake::answer_early(self, s, order),
            Verb::Explain => intake::explain(s, (by, order)),
            Verb::Publish => relay::publish(s, (by, order)),
            Verb::PastLease => relay::past_lease(self, s, (by, order)),
            Verb::Remove => relay::remove(self, s, (by, order)),
            Verb::Retain => relay::retain(self, s, (by, order)),
            Verb::Claim => relay::claim(self, s, (by, order)),
            Verb::TakeCaptured | Verb::TakeDeclined => settle::take(s, verb, (by, order)),
            Verb::Settle => settle::settle(self, s, by),
            Verb::AckResult => settle::ack(self, s, by),
            Verb::TakeRequest => charge::take(s, by, order),
            Verb::Start | Verb::LookUp | Verb::Capture | Verb::Decline | Verb::Finish
            | Verb::Reply | Verb::Depart | Verb::AckRequest | Verb::AnswerRefused
            | Verb::AnswerUnheard | Verb::GatewayError | Verb::DieAsking => charge::step(self, s, (verb, by)),
            Verb::LeaseEnds | Verb::LeaseEndsEarly => relay::lease_ends(self, s, (verb, order)),
            Verb::RequestRefused | Verb::RequestUnheard => relay::unconfirmed(s, verb, (by, order)),
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

/// Every step of a kind that there could be.
fn steps_of(verb: Verb, orders: Orders) -> Vec<Step> {
    const ONE: &[Nth] = &[Nth::First];
    // That somebody dies for good is looked at with one order: with two it would be too much.
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

impl Model for Road {
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

    fn properties(&self) -> Vec<Property<Road>> {
        properties::all(self.orders)
    }
}
