//! The reasons for which a session with the broker ends. All of them are handled alike: drop the
//! connection, wait a little, connect anew.

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};

/// The reason for which a session with the broker ended.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The broker did not answer within the time limit.
    #[error("the broker did not answer in time while {0}")]
    TimedOut(&'static str),
    /// The broker refused, or the connection failed.
    #[error("{0}")]
    Amqp(#[from] lapin::Error),
    /// A queue or exchange exists with other properties; an operator has to decide.
    #[error(
        "`{name}` exists with other properties than Ordermill needs: {broker_says}. Properties \
         cannot be changed in place. Let the workers empty it, stop the services, delete it \
         (`rabbitmqctl delete_queue {name}`) and start them again; or choose another name with \
         SEND_ROUTING_KEY, RECEIVE_ROUTING_KEY, EXCHANGE_NAME or LOG_EXCHANGE. See docs/messages.md, \
         \"When a queue exists in another shape\""
    )]
    Mismatch {
        /// The queue or exchange.
        name: String,
        /// The broker's text: the property, its requested and its present value.
        broker_says: String,
    },
    /// A queue or exchange does not exist, and this user may not declare it.
    #[error(
        "`{name}` does not exist, and the broker user may not declare it: {broker_says}. Give the \
         user the permission to configure it once, or declare it. See docs/messages.md, \
         \"Permissions\""
    )]
    Missing {
        /// The queue or exchange.
        name: String,
        /// The broker's text.
        broker_says: String,
    },
    /// The broker's name has no address.
    #[error("the broker's name has no address")]
    NoAddress,
    /// The broker ended the consumer: it was canceled, or its queue was deleted.
    #[error("the broker ended the consumer of `{0}`")]
    ConsumerEnded(String),
    /// A user of the connection gave it up.
    #[error("the connection is given up: {0}")]
    GivenUp(&'static str),
}

impl BrokerError {
    /// The error of a declaration of the queue or exchange `name`.
    pub fn declaring(name: &str, error: lapin::Error) -> BrokerError {
        if let ErrorKind::ProtocolError(said) = error.kind()
            && *said.kind() == AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)
        {
            let broker_says = said.get_message().to_string();
            return BrokerError::Mismatch { name: name.to_owned(), broker_says };
        }
        BrokerError::Amqp(error)
    }

    /// Returns `true` if a broker answered, so that its other addresses would answer the same.
    pub(crate) fn is_an_answer(&self) -> bool {
        match self {
            BrokerError::Amqp(error) => matches!(error.kind(), ErrorKind::ProtocolError(_)),
            BrokerError::Mismatch { .. } | BrokerError::Missing { .. } => true,
            BrokerError::TimedOut(_)
            | BrokerError::NoAddress
            | BrokerError::ConsumerEnded(_)
            | BrokerError::GivenUp(_) => false,
        }
    }

    /// Returns `true` if a message that the client cannot parse may have ended the session. Every
    /// message unacked at that time has come one delivery nearer to its limit, so the next ones are
    /// consumed one by one, until the unreadable message alone has reached its limit.
    pub(crate) fn may_be_a_message(&self) -> bool {
        let BrokerError::Amqp(error) = self else { return false };
        if let ErrorKind::ProtocolError(said) = error.kind() {
            // A broker that shuts down says "connection forced".
            let shut_down = AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED);
            return matches!(said.kind(), AMQPErrorKind::Hard(_)) && *said.kind() != shut_down;
        }
        matches!(error.kind(), ErrorKind::ParsingError(_))
    }
}
