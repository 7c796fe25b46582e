//! The messages of queues.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::FieldTable;
use lapin::{Connection, ErrorKind};

use crate::connection::{close, within};
use crate::error::BrokerError;
use crate::management::{Management, ManagementError, QueueFacts};
use crate::settings::BrokerSettings;

/// Timeout of one inspection.
const INSPECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The messages of several queues together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Number of messages that wait, without the unacked ones.
    pub waiting: u64,
    /// The unacked messages; [`InFlight::Unknown`] unless no message waits.
    pub in_flight: InFlight,
}

/// Messages that were delivered and are not acked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InFlight {
    /// There are none.
    None,
    /// There are some.
    Some,
    /// There are consumers, and the management API does not say whether they have any.
    Unknown,
}

/// Counts the messages in queues, on a connection of its own: to ask for a queue that does not exist is
/// an error of the connection, which must not end the publisher's.
#[derive(Debug)]
pub struct QueueInspector {
    settings: BrokerSettings,
    connection: Option<Connection>,
    management: Option<Management>,
}

impl QueueInspector {
    /// Connects when it first inspects, and again after an error.
    pub fn new(settings: BrokerSettings) -> QueueInspector {
        let management = settings.management.as_ref().and_then(|api| Management::open(api).ok());
        QueueInspector { settings, connection: None, management }
    }

    /// Number of messages that wait in each of these queues, without the unacked ones. A queue that
    /// does not exist counts as empty.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub async fn depths(&mut self, queues: &[String]) -> Result<Vec<u32>, BrokerError> {
        let seen = self.look(queues).await?;
        Ok(seen.into_iter().map(|queue| queue.waiting).collect())
    }

    /// The messages of these queues together.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub async fn inspect(&mut self, queues: &[String]) -> Result<Inspection, BrokerError> {
        let seen = self.look(queues).await?;
        let waiting = seen.iter().map(|queue| u64::from(queue.waiting)).sum();
        let consumed = queues.iter().zip(&seen).filter(|(_, queue)| queue.consumers > 0);
        let consumed: Vec<&String> = consumed.map(|(name, _)| name).collect();
        let in_flight = match waiting {
            0 => self.in_flight(&consumed).await,
            _ => InFlight::Unknown,
        };
        Ok(Inspection { waiting, in_flight })
    }

    /// The facts that the management API tells about a queue.
    ///
    /// # Errors
    /// If the API does not answer.
    pub async fn facts(&self, queue: &str) -> Result<Option<QueueFacts>, ManagementError> {
        self.management.as_ref().ok_or(ManagementError::NoAddress)?.queue(queue).await
    }

    /// The unacked messages of queues that have consumers; others have none.
    async fn in_flight(&self, consumed: &[&String]) -> InFlight {
        for queue in consumed {
            match self.facts(queue).await {
                Ok(facts) if facts.as_ref().is_some_and(|facts| facts.unacked > 0) => {
                    return InFlight::Some;
                }
                Ok(_) => {}
                Err(error) => {
                    log::debug!("unacked messages are not known: {error}");
                    return InFlight::Unknown;
                }
            }
        }
        InFlight::None
    }

    async fn look(&mut self, queues: &[String]) -> Result<Vec<Seen>, BrokerError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                self.settings.connection.open("inspect", &self.settings.topology).await?.connection
            }
        };
        let counted = within(INSPECT_TIMEOUT, "inspecting queues", async {
            let mut seen = Vec::with_capacity(queues.len());
            for queue in queues {
                seen.push(look_at(&connection, queue).await?);
            }
            Ok(seen)
        });
        let seen = counted.await?;
        self.connection = Some(connection);
        Ok(seen)
    }

    /// Closes the connection.
    pub async fn close(self) {
        if let Some(connection) = self.connection {
            close(&connection).await;
        }
    }
}

/// Waiting messages and consumers of a queue.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    waiting: u32,
    consumers: u32,
}

/// Looks at one queue on a channel of its own: "not found" ends the channel.
async fn look_at(connection: &Connection, queue: &str) -> Result<Seen, BrokerError> {
    let channel = connection.create_channel().await?;
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    match channel.queue_declare(queue.into(), options, FieldTable::default()).await {
        Ok(found) => {
            channel.close(200, "inspected".into()).await?;
            Ok(Seen { waiting: found.message_count(), consumers: found.consumer_count() })
        }
        Err(error) if not_found(&error) => Ok(Seen::default()),
        Err(error) => Err(error.into()),
    }
}

fn not_found(error: &lapin::Error) -> bool {
    let ErrorKind::ProtocolError(said) = error.kind() else { return false };
    *said.kind() == AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)
}
