//! A charge attempt, its limits and its errors.

use std::time::Duration;

use batcher::BatchLimits;
use db::Db;
use domain::{PaymentId, Verdict, WorkerName};
use messages::PaymentRequest;
use tokio::sync::OwnedSemaphorePermit;

use crate::gateway::GatewayError;

/// Limits of the batches in front of the payment tables.
pub(super) const LIMITS: BatchLimits =
    BatchLimits { waiting_max: 8192, batch_max: 1000, in_flight_max: 2 };

/// The reason why a charge has no verdict. A declined card is a verdict, not an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChargeError {
    /// The money may have been captured or not (P3): the gateway is asked again, under the same key.
    #[error("the gateway gave no verdict: {0}")]
    NoVerdict(GatewayError),
    /// The payment store refuses the payment for good.
    #[error(transparent)]
    Store(#[from] db::Error),
}

/// One payment on its way through this worker.
#[derive(Debug)]
pub(crate) struct ChargeAttempt {
    /// Position of the request in its message.
    pub(crate) index: usize,
    /// The request.
    pub(crate) request: PaymentRequest,
    /// The progress of the payment.
    pub(crate) state: ChargeState,
    /// The payment's place among those in flight, until the attempt is dropped.
    pub(super) _room: Room,
}

/// The progress of a payment.
#[derive(Debug)]
pub(crate) enum ChargeState {
    /// The gateway gave a verdict, which is not recorded yet. `attempt` counts how often a worker
    /// started the payment.
    Answered { payment_id: PaymentId, verdict: Verdict, attempt: i32 },
    /// The verdict is recorded.
    Finished { payment_id: PaymentId, verdict: Verdict },
    /// There is no verdict.
    Unfinished(ChargeError),
    /// Another message of the order is on its way: this one is dropped.
    Superseded,
}

/// Room for orders in flight. `None` for what exceeds the whole room.
pub(crate) type Room = Option<OwnedSemaphorePermit>;

/// Limits of charging.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChargeLimits {
    /// Time for one answer of the gateway.
    pub(crate) timeout: Duration,
    /// Largest number of orders in flight.
    pub(crate) orders_max: u16,
}

/// The store and the name of a worker, for the batches in front of the payment tables.
#[derive(Clone, Debug)]
pub(crate) struct PaymentStore {
    pub(crate) db: Db,
    pub(crate) worker: WorkerName,
    /// Time after its due time at which a scheduled copy of a request is overdue.
    pub(crate) grace: Duration,
}
