//! The kinds of steps, with the functions of the code that take them.

use Origin::{Code, Environment, Fault};

/// A kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "`origin` names each one's function, `describe` its effect")]
pub enum Verb {
    // order-management
    Place,
    AnswerEarly,
    Explain,
    Publish,
    PastLease,
    Remove,
    Retain,
    Claim,
    TakeCaptured,
    TakeDeclined,
    Settle,
    AckResult,
    // payment-processor
    TakeRequest,
    Start,
    LookUp,
    Capture,
    Decline,
    Finish,
    Reply,
    Depart,
    AckRequest,
    // the environment, without cost
    LeaseEnds,
    LateCapture,
    DropRequest,
    DropResult,
    // the environment, each as a fault
    PlaceUnleased,
    PlaceAndDie,
    LeaseEndsEarly,
    RequestRefused,
    RequestUnheard,
    AnswerRefused,
    AnswerUnheard,
    GatewayError,
    DieAsking,
    Duplicate,
    Stray,
    CutWorker,
    CutProcess,
    RestartBroker,
    KillWorker,
    KillProcess,
    LoseWorker,
    LoseProcess,
}

/// The actor of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The code: this function in this file.
    Code(&'static str, &'static str),
    /// The passing of time.
    Environment,
    /// A fault, of which a path has a limited number.
    Fault,
}

/// The objects of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A process and an order.
    ProcessAndOrder,
    /// A process and an outbox row.
    ProcessAndRow,
    /// A process.
    Process,
    /// A worker and an order.
    WorkerAndOrder,
    /// A worker.
    Worker,
    /// An order.
    Order,
    /// An outbox row.
    Row,
    /// The whole system.
    All,
}

const PLACE: &str = "db/src/orders/place.rs";
const PUBLISH: &str = "order-management/src/relay/batch.rs";
const OUTBOX: &str = "db/src/outbox.rs";
const CONSUMER: &str = "common/amqp/src/consumer_task.rs";
const SESSION: &str = "common/amqp/src/consume_session.rs";
const PUBLISHER: &str = "common/amqp/src/publisher.rs";
const PAYMENTS: &str = "db/src/payments.rs";
const GATEWAY: &str = "payment-processor/src/gateway/mod.rs";
const REPLY: &str = "payment-processor/src/reply.rs";
const SETTLE: &str = "db/src/orders/settle.rs";
const HTTP: &str = "order-management/src/http/orders.rs";

impl Verb {
    /// Every kind, in the order in which the checker tries them.
    #[rustfmt::skip]
    pub const ALL: [Verb; 43] = [
        Verb::Place, Verb::AnswerEarly, Verb::Explain, Verb::Publish,
        Verb::PastLease, Verb::Remove, Verb::Retain, Verb::Claim, Verb::TakeCaptured,
        Verb::TakeDeclined, Verb::Settle, Verb::AckResult, Verb::TakeRequest, Verb::Start,
        Verb::LookUp, Verb::Capture, Verb::Decline, Verb::Finish, Verb::Reply, Verb::Depart,
        Verb::AckRequest, Verb::LeaseEnds, Verb::LateCapture, Verb::DropRequest, Verb::DropResult,
        Verb::PlaceUnleased, Verb::PlaceAndDie,
        Verb::LeaseEndsEarly, Verb::RequestRefused, Verb::RequestUnheard, Verb::AnswerRefused,
        Verb::AnswerUnheard, Verb::GatewayError, Verb::DieAsking, Verb::Duplicate, Verb::Stray,
        Verb::CutWorker, Verb::CutProcess, Verb::RestartBroker, Verb::KillWorker,
        Verb::KillProcess, Verb::LoseWorker, Verb::LoseProcess,
    ];

    /// The actor of the step.
    #[rustfmt::skip]
    pub fn origin(self) -> Origin {
        match self {
            Verb::Place => Code(PLACE, "place"),
            Verb::AnswerEarly => Code(HTTP, "place"),
            Verb::Explain => Code(PLACE, "explain"),
            Verb::Publish => Code(PUBLISHER, "publish_all"),
            Verb::PastLease => Code(PUBLISH, "run"),
            Verb::Remove => Code(OUTBOX, "remove"),
            Verb::Retain => Code(OUTBOX, "retain"),
            Verb::Claim => Code(OUTBOX, "claim"),
            Verb::TakeRequest | Verb::TakeCaptured | Verb::TakeDeclined => Code(CONSUMER, "handle"),
            Verb::Settle => Code(SETTLE, "settle"),
            Verb::AckRequest | Verb::AckResult => Code(SESSION, "ack_finished"),
            Verb::Start => Code(PAYMENTS, "start"),
            Verb::LookUp => Code(GATEWAY, "look_up"),
            Verb::Capture | Verb::Decline => Code(GATEWAY, "charge"),
            Verb::Finish => Code(PAYMENTS, "finish"),
            Verb::Reply => Code(REPLY, "reply"),
            Verb::Depart => Code(PUBLISHER, "publish_until_confirmed"),
            Verb::LeaseEnds | Verb::LateCapture | Verb::DropRequest | Verb::DropResult => Environment,
            Verb::PlaceUnleased | Verb::PlaceAndDie | Verb::LeaseEndsEarly
            | Verb::RequestRefused | Verb::RequestUnheard | Verb::AnswerRefused | Verb::AnswerUnheard | Verb::GatewayError | Verb::DieAsking
            | Verb::Duplicate | Verb::Stray | Verb::CutWorker | Verb::CutProcess
            | Verb::RestartBroker | Verb::KillWorker | Verb::KillProcess | Verb::LoseWorker
            | Verb::LoseProcess => Fault,
        }
    }

    /// The objects of the step.
    #[rustfmt::skip]
    pub fn scope(self) -> Scope {
        match self {
            Verb::AnswerEarly | Verb::Explain | Verb::Publish | Verb::TakeCaptured
            | Verb::TakeDeclined | Verb::RequestRefused | Verb::RequestUnheard => Scope::ProcessAndOrder,
            Verb::Place | Verb::PlaceUnleased | Verb::PlaceAndDie | Verb::PastLease | Verb::Remove | Verb::Retain
            | Verb::Claim => Scope::ProcessAndRow,
            Verb::Settle | Verb::AckResult | Verb::DropResult | Verb::CutProcess
            | Verb::KillProcess | Verb::LoseProcess => Scope::Process,
            Verb::TakeRequest => Scope::WorkerAndOrder,
            Verb::Start | Verb::LookUp | Verb::Capture | Verb::Decline | Verb::Finish
            | Verb::Reply | Verb::Depart | Verb::AckRequest | Verb::DropRequest
            | Verb::AnswerRefused | Verb::AnswerUnheard | Verb::GatewayError | Verb::DieAsking
            | Verb::CutWorker | Verb::KillWorker | Verb::LoseWorker => Scope::Worker,
            Verb::LateCapture | Verb::Duplicate | Verb::Stray => Scope::Order,
            Verb::LeaseEnds | Verb::LeaseEndsEarly => Scope::Row,
            Verb::RestartBroker => Scope::All,
        }
    }

    /// True if the step is a fault.
    pub fn is_fault(self) -> bool {
        self.origin() == Fault
    }
}
