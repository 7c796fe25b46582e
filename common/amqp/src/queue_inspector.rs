//! The depth of queues.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::FieldTable;
use lapin::{Connection, ErrorKind};

use crate::connection::{close, within};
use crate::error::BrokerError;
use crate::settings::BrokerSettings;

/// Timeout of one inspection.
const INSPECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Counts the messages in queues, on a connection of its own: to ask for a queue that does not exist is
/// an error of the connection, which must not end the publisher's.
#[derive(Debug)]
pub struct QueueInspector {
    settings: BrokerSettings,
    connection: Option<Connection>,
}

impl QueueInspector {
    /// Connects when it first inspects, and again after an error.
    pub fn new(settings: BrokerSettings) -> QueueInspector {
        QueueInspector { settings, connection: None }
    }

    /// Number of messages that wait in these queues together, without the unacked ones. A queue that
    /// does not exist counts as empty.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub async fn waiting_in(&mut self, queues: &[String]) -> Result<u64, BrokerError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.settings.connection.open("inspect", &self.settings.topology).await?.0,
        };
        let counted = within(INSPECT_TIMEOUT, "inspecting queues", async {
            let mut waiting = 0;
            for queue in queues {
                waiting += u64::from(depth(&connection, queue).await?);
            }
            Ok(waiting)
        });
        let waiting = counted.await?;
        self.connection = Some(connection);
        Ok(waiting)
    }

    /// Closes the connection.
    pub async fn close(self) {
        if let Some(connection) = self.connection {
            close(&connection).await;
        }
    }
}

/// Depth of one queue, on a channel of its own: "not found" ends the channel.
async fn depth(connection: &Connection, queue: &str) -> Result<u32, BrokerError> {
    let channel = connection.create_channel().await?;
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    match channel.queue_declare(queue.into(), options, FieldTable::default()).await {
        Ok(found) => {
            channel.close(200, "inspected".into()).await?;
            Ok(found.message_count())
        }
        Err(error) if not_found(&error) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

fn not_found(error: &lapin::Error) -> bool {
    let ErrorKind::ProtocolError(said) = error.kind() else { return false };
    *said.kind() == AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)
}
