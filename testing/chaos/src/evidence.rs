//! Everything the checker may look at. Times are seconds since the campaign began.

use serde::Serialize;
use uuid::Uuid;

use super::books::Books;
use super::fault::Fault;
use super::history::History;

/// A fault as it happened.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Mark {
    /// What it was.
    pub(super) fault: Fault,
    /// When it began.
    pub(super) began: f64,
    /// When what was broken could be used again: the server served, the process was started, the
    /// wire carried.
    pub(super) back: f64,
    /// Whether another fault overlapped with it or with the time after it.
    pub(super) alone: bool,
}

/// A process that was asked to end.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Exit {
    /// Which.
    pub(super) process: String,
    /// When it was asked.
    pub(super) at: f64,
    /// How long it took.
    pub(super) took: f64,
    /// Its exit code; nothing if it did not end in time.
    pub(super) code: Option<i32>,
}

/// A look at `/health/ready`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Look {
    /// Of which process.
    pub(super) process: String,
    /// When.
    pub(super) at: f64,
    /// What it said; nothing if it did not answer.
    pub(super) ready: Option<bool>,
    /// What is true.
    pub(super) wanted: bool,
}

/// How much memory a process had.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Memory {
    /// Which process.
    pub(super) process: String,
    /// When.
    pub(super) at: f64,
    /// In use then, in megabytes of 10⁶ bytes.
    pub(super) mb: f64,
}

/// What the intruder put into the queues.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Intrusions {
    /// Words in messages that cannot be read or belong to no order: each has to be parked.
    pub(super) nonsense: Vec<String>,
    /// Orders whose request was sent once more.
    pub(super) requests: Vec<Uuid>,
    /// Final orders whose result was sent once more.
    pub(super) repeated: Vec<Uuid>,
    /// Final orders for which the opposite result was sent.
    pub(super) contradicting: Vec<Uuid>,
}

/// All of it.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Evidence {
    /// What the clients did and saw.
    pub(super) history: History,
    /// What the intruder did.
    pub(super) intrusions: Intrusions,
    /// What was broken, in order.
    pub(super) marks: Vec<Mark>,
    /// Processes that were asked to end.
    pub(super) exits: Vec<Exit>,
    /// Looks at their readiness.
    pub(super) looks: Vec<Look>,
    /// Their memory.
    pub(super) memory: Vec<Memory>,
    /// What the auditor said at the end, if it did not find everything in order.
    pub(super) audit: Option<String>,
    /// Panics in their logs.
    pub(super) panics: Vec<String>,
    /// Tables and queues at the end.
    pub(super) books: Books,
}
