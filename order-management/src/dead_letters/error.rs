use amqp::{BrokerError, DeadLetterId, NotConfirmed};

use crate::keys::KeyInUse;

/// The reason why a command on dead letters fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeadLetterError {
    /// Two sessions at a time would hide dead letters from each other. Nothing was done.
    #[error("the dead letters are locked by another session ({0}); try again in a moment")]
    Locked(String),
    /// Nothing was done.
    #[error(transparent)]
    KeyInUse(#[from] KeyInUse),
    /// Nothing was done.
    #[error("the key was used for another request")]
    KeyReused,
    /// It may never have existed, or another session was faster. Nothing was done.
    #[error("there is no dead letter {0} (any more)")]
    NotFound(DeadLetterId),
    /// Unacked dead letters are requeued.
    #[error("RabbitMQ is unavailable: {0}")]
    Broker(#[from] BrokerError),
    /// The copy may not be stored. The dead letter stays.
    #[error("the dead letter stays: the broker did not confirm its copy: {0}")]
    NotConfirmed(NotConfirmed),
    /// A started action stays recorded as started. Unacked dead letters are requeued.
    #[error(transparent)]
    Store(#[from] db::Error),
    /// One of the errors above, after some dead letters were replayed.
    #[error("{0}; {1} dead letters were replayed before that")]
    Stopped(Box<DeadLetterError>, usize),
}
