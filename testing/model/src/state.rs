//! The state of stores, broker, gateway and processes at one moment.

use crate::two::{Nth, Two};

/// The whole state at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State {
    /// The durable state, by order.
    pub orders: Two<Order>,
    /// The order-management processes.
    pub processes: Two<Process>,
    /// The payment-processor workers.
    pub workers: Two<Worker>,
    /// Number of faults that may still happen.
    pub faults: u8,
}

/// The records of one order: in the database, the broker's queues, the gateway's ledger, and the
/// client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Order {
    /// The client's state.
    pub client: Client,
    /// The order's row; `None` before it is committed.
    pub status: Option<Status>,
    /// Number of times that a final status was written.
    pub moves: u8,
    /// The lease of its outbox row; `None` if no row contains the order.
    pub row: Option<Lease>,
    /// True if the broker has ever stored a request for the order.
    pub relayed: bool,
    /// Requests that wait in their queue or in a retry queue.
    pub requests: u8,
    /// The payment's row.
    pub payment: Option<Payment>,
    /// The gateway's ledger.
    pub gateway: Gateway,
    /// Results that wait in their queue.
    pub results: Results,
}

/// The state of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Client {
    /// Without a `201` so far: the client repeats the request under its key.
    Wants,
    /// With a `201`.
    Knows,
}

/// An order's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Not final.
    Pending,
    /// Final, paid.
    Confirmed,
    /// Final, declined.
    Canceled,
}

/// The lease on an outbox row, as the database sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lease {
    /// The row belongs to a process.
    Held,
    /// Any process may claim the row.
    Over,
}

/// The gateway's final answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// The money was moved.
    Captured,
    /// The money was not moved, and will not be.
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

/// The gateway's record of an order's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gateway {
    /// Number of captures.
    pub captures: u8,
    /// True if the gateway has declined.
    pub declined: bool,
    /// True if a charge whose caller stopped waiting may still be carried out.
    pub in_flight: bool,
}

/// Results in their queue, by verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Results {
    /// Results with a captured payment.
    pub captured: u8,
    /// Results with a declined payment.
    pub declined: u8,
}

/// An order-management process: its memory, which is lost at its death.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    /// The relaying state, by order.
    pub relays: Two<Relay>,
    /// The unacked result.
    pub settling: Option<Settling>,
    /// True if the process is dead for good.
    pub gone: bool,
}

/// The progress of a process in relaying an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relay {
    /// The process does not relay the order.
    Idle,
    /// The process has the lease, and has to publish.
    Due,
    /// The broker has stored the request; its confirm is on the way.
    Stored,
    /// The broker refused, or no confirm came.
    Unconfirmed,
}

/// An unacked result of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Settling {
    /// The order it is about.
    pub order: Nth,
    /// The verdict of the result.
    pub verdict: Verdict,
    /// True if the status is committed.
    pub settled: bool,
    /// The delivery of the message.
    pub delivery: Delivery,
}

/// A worker: its memory, which is lost at its death.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Worker {
    /// The unacked request.
    pub charging: Option<Charging>,
    /// True if the worker is dead for good.
    pub gone: bool,
}

/// An unacked request of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Charging {
    /// The order it is about.
    pub order: Nth,
    /// The worker's progress.
    pub stage: Stage,
    /// The delivery of the message.
    pub delivery: Delivery,
}

/// The progress of a worker with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing is done yet.
    Taken,
    /// The payment was started before: a look-up at the gateway is next.
    ToLookUp,
    /// A charge at the gateway is next.
    ToCharge,
    /// The gateway has answered; nothing is recorded.
    Said(Verdict),
    /// There is no verdict.
    Unknown,
    /// The verdict is recorded; no reply is confirmed.
    Recorded(Verdict),
    /// The reply, or the copy for the retry queue, is confirmed.
    Done,
}

/// The broker's view of an unacked message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Delivery {
    /// Delivered and not acked: requeued if its consumer dies.
    Open,
    /// Requeued when the connection was cut. The consumer may not have noticed yet.
    Lost,
    /// Acked before its work was finished, which happens only in broken variants.
    Acked,
}

impl State {
    /// The initial state.
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
    /// The number of results with this verdict.
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
