//! Why a session with the broker ended. Every one of them leads to the same answer: drop the
//! connection, wait a little, build it anew.

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError};

/// Why a session with the broker ended.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No answer within the time.
    #[error("the broker did not answer in time while {0}")]
    TimedOut(&'static str),
    /// The broker or the connection said no.
    #[error("{0}")]
    Amqp(#[from] lapin::Error),
    /// A queue or exchange exists in another shape; only a person can decide what to do.
    #[error(
        "`{name}` exists with other properties than Ordermill needs: {broker_says}. Properties \
         cannot be changed in place. Let the workers empty it, stop the services, delete it \
         (`rabbitmqctl delete_queue {name}`) and start them again; or choose another name with \
         SEND_ROUTING_KEY, RECEIVE_ROUTING_KEY, EXCHANGE_NAME or LOG_EXCHANGE. See docs/messages.md, \
         \"When a queue exists in another shape\""
    )]
    OtherShape {
        /// Which queue or exchange.
        name: String,
        /// The broker's own words: what was asked for and what is there.
        broker_says: String,
    },
    /// The broker ended the consumer: it was canceled, or its queue was deleted.
    #[error("the broker ended the consumer of `{0}`")]
    ConsumerEnded(String),
    /// Somebody who uses the connection found it wanting.
    #[error("the connection is given up: {0}")]
    GivenUp(&'static str),
}

impl Fault {
    /// Whether a message that cannot even be taken apart may have ended the session. Everything in
    /// hand with it has come one delivery nearer to its limit, so the next ones are taken one by
    /// one, until it alone has used up its own.
    pub(super) fn may_be_a_message(&self) -> bool {
        let Fault::Amqp(error) = self else { return false };
        if let ErrorKind::ProtocolError(said) = error.kind() {
            // "Connection forced" is what a broker says when it is being shut down.
            let shut_down = AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED);
            return matches!(said.kind(), AMQPErrorKind::Hard(_)) && *said.kind() != shut_down;
        }
        matches!(error.kind(), ErrorKind::ParsingError(_))
    }
}
