//! Everything the checker may use. Times are seconds since the campaign began.

use serde::Serialize;
use uuid::Uuid;

use super::fault::Fault;
use super::history::History;
use super::ledger::Ledger;

/// A fault as it happened.
#[derive(Clone, Debug, Serialize)]
pub(super) struct InjectedFault {
    /// The fault of the schedule.
    pub(super) fault: Fault,
    /// Begin of the fault.
    pub(super) began: f64,
    /// End of the fault: the server served again, the process was started, the wire carried data.
    pub(super) back: f64,
    /// True if no other fault overlapped with this one or with the time after it.
    pub(super) alone: bool,
}

/// A process that received SIGTERM.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Exit {
    /// Name of the process.
    pub(super) process: String,
    /// Time of the signal.
    pub(super) at: f64,
    /// Seconds until the process ended.
    pub(super) took: f64,
    /// The exit code; `None` if the process did not end in time.
    pub(super) code: Option<i32>,
}

/// A request to `/health/ready`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ReadinessCheck {
    /// Name of the process.
    pub(super) process: String,
    /// Time of the request.
    pub(super) at: f64,
    /// The answer; `None` if the process did not answer.
    pub(super) ready: Option<bool>,
    /// The true readiness at that time.
    pub(super) wanted: bool,
}

/// A sample of a process's memory.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Memory {
    /// Name of the process.
    pub(super) process: String,
    /// Time of the sample.
    pub(super) at: f64,
    /// Resident memory in megabytes of 10⁶ bytes.
    pub(super) mb: f64,
}

/// Messages that the adversary published and the broker confirmed.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct AdversaryMessages {
    /// Tokens in messages that cannot be read or belong to no order: each has to be dead-lettered.
    pub(super) nonsense: Vec<String>,
    /// Orders whose request was published once more.
    pub(super) requests: Vec<Uuid>,
    /// Final orders whose result was published once more.
    pub(super) repeated: Vec<Uuid>,
    /// Final orders for which the opposite result was published.
    pub(super) contradicting: Vec<Uuid>,
}

/// The whole evidence of a campaign.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Evidence {
    /// The clients' requests and answers.
    pub(super) history: History,
    /// The adversary's messages.
    pub(super) adversary: AdversaryMessages,
    /// The faults, in the order in which they began.
    pub(super) faults: Vec<InjectedFault>,
    /// Processes that received SIGTERM.
    pub(super) exits: Vec<Exit>,
    /// Requests to `/health/ready`.
    pub(super) readiness_checks: Vec<ReadinessCheck>,
    /// Memory samples.
    pub(super) memory: Vec<Memory>,
    /// The auditor's output at the end; `None` if the auditor found everything in order.
    pub(super) audit: Option<String>,
    /// Panics in the processes' logs.
    pub(super) panics: Vec<String>,
    /// Tables and queues at the end.
    pub(super) ledger: Ledger,
}
