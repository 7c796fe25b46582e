//! Everything that the stores, the broker, the gateway and the processes know at one moment.

use crate::two::{Nth, Two};

/// The whole world at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State {
    /// What is durable, by order.
    pub orders: Two<Order>,
    /// The order-management processes.
    pub processes: Two<Process>,
    /// The payment-processor workers.
    pub workers: Two<Worker>,
    /// How many faults may still happen.
    pub faults: u8,
}

/// What stands somewhere about one order: in the database, the broker's queues, the gateway's
/// books, and the client's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Order {
    /// What the client knows.
    pub client: Client,
    /// The order's row; `None` before it is committed.
    pub status: Option<Status>,
    /// How often the final status was written.
    pub moves: u8,
    /// Its place in an outbox row.
    pub row: Option<Lease>,
    /// Whether the broker has ever stored a request for it.
    pub relayed: bool,
    /// Requests that wait in their queue, or in the delay ladder on their way back to it.
    pub requests: u8,
    /// The payment's row.
    pub payment: Option<Payment>,
    /// The gateway's books.
    pub gateway: Gateway,
    /// Results that wait in their queue.
    pub results: Results,
}

/// What the client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Client {
    /// It wants the order placed, and asks under its key until it gets a `201`.
    Wants,
    /// It has its `201`.
    Knows,
}

/// An order's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// On its way.
    Pending,
    /// At its end, paid.
    Confirmed,
    /// At its end, declined.
    Canceled,
}

/// The lease on an outbox row, as the database sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lease {
    /// It runs.
    Held,
    /// Anybody may claim the row.
    Over,
}

/// The gateway's final word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// The money was moved.
    Captured,
    /// It was not, and will not be.
    Declined,
}

/// A payment's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Payment {
    /// The gateway may have been asked.
    Started,
    /// The verdict that is recorded.
    Ended(Verdict),
}

/// What the gateway knows about an order's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gateway {
    /// How often it has captured the money.
    pub captures: u8,
    /// Whether it has declined.
    pub declined: bool,
    /// Whether a charge that nobody waits for any more may still be carried out.
    pub in_flight: bool,
}

/// Results in their queue, by what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Results {
    /// That the money was captured.
    pub captured: u8,
    /// That it was declined.
    pub declined: u8,
}

/// An order-management process: its memory, which dies with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    /// What it is relaying, by order.
    pub relays: Two<Relay>,
    /// The result in its hand.
    pub settling: Option<Settling>,
    /// Whether it is dead for good.
    pub gone: bool,
}

/// How far a process is with relaying an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relay {
    /// It has nothing to do with it.
    Idle,
    /// It took the order to be its own to publish, when the lease began.
    Due,
    /// The broker has stored the request; its confirm is on the way.
    Stored,
    /// The broker refused, or no confirm came.
    Unconfirmed,
}

/// A result in a process's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Settling {
    /// The order it is about.
    pub order: Nth,
    /// What it says.
    pub verdict: Verdict,
    /// Whether the database has it.
    pub settled: bool,
    /// The message it came in.
    pub delivery: Delivery,
}

/// A worker: its memory, which dies with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Worker {
    /// The request in its hand.
    pub charging: Option<Charging>,
    /// Whether it is dead for good.
    pub gone: bool,
}

/// A request in a worker's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Charging {
    /// The order it is about.
    pub order: Nth,
    /// How far the worker is with it.
    pub stage: Stage,
    /// The message it came in.
    pub delivery: Delivery,
}

/// How far a worker is with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing is done yet.
    Taken,
    /// The payment was started before: the gateway is asked what became of it.
    ToLookUp,
    /// The gateway is asked to charge.
    ToCharge,
    /// The gateway has said so; nothing is recorded.
    Said(Verdict),
    /// There is no verdict.
    Unknown,
    /// The verdict is recorded; no reply is confirmed.
    Recorded(Verdict),
    /// The reply, or the copy for the delay ladder, is confirmed.
    Done,
}

/// How the broker sees the message in somebody's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Delivery {
    /// Delivered and not acked: it comes back if its reader dies.
    Open,
    /// It went back to its queue when the connection was cut. Its reader may not know yet.
    Lost,
    /// Acked before its reader was done with it, as only a broken variant does.
    Acked,
}

impl State {
    /// Nothing has happened yet.
    pub fn new(faults: u8) -> State {
        let gateway = Gateway { captures: 0, declined: false, in_flight: false };
        let order = Order {
            client: Client::Wants,
            status: None,
            moves: 0,
            row: None,
            relayed: false,
            requests: 0,
            payment: None,
            gateway,
            results: Results { captured: 0, declined: 0 },
        };
        let process = Process { relays: Two::of(Relay::Idle), settling: None, gone: false };
        State {
            orders: Two::of(order),
            processes: Two::of(process),
            workers: Two::of(Worker { charging: None, gone: false }),
            faults,
        }
    }
}

impl Results {
    /// How many say so.
    pub fn of(&mut self, verdict: Verdict) -> &mut u8 {
        match verdict {
            Verdict::Captured => &mut self.captured,
            Verdict::Declined => &mut self.declined,
        }
    }
}

impl From<Verdict> for Status {
    fn from(verdict: Verdict) -> Status {
        match verdict {
            Verdict::Captured => Status::Confirmed,
            Verdict::Declined => Status::Canceled,
        }
    }
}
