//! Declaring exchanges and queues, also for a broker user that may not.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection, ErrorKind, ExchangeKind};

use crate::error::BrokerError;

/// A channel for declarations.
///
/// A user without the permission `configure` is refused every declaration, also of what exists in
/// the same shape. Then the broker is only asked whether it exists: an operator has declared it.
#[derive(Debug)]
pub struct Declaring<'a> {
    connection: &'a Connection,
    /// A refusal ends its channel.
    channel: Channel,
}

impl<'a> Declaring<'a> {
    /// A channel for declarations on `connection`.
    ///
    /// # Errors
    /// If the broker does not open a channel.
    pub async fn on(connection: &'a Connection) -> Result<Declaring<'a>, BrokerError> {
        Ok(Declaring { connection, channel: connection.create_channel().await? })
    }

    /// Declares a durable exchange.
    ///
    /// # Errors
    /// [`BrokerError::Mismatch`] if it exists with other properties, [`BrokerError::Missing`] if it
    /// does not exist and the user may not declare it.
    pub async fn exchange(&mut self, name: &str, kind: ExchangeKind) -> Result<(), BrokerError> {
        let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
        let (exchange, none) = (ShortString::from(name), FieldTable::default());
        let declared =
            self.channel.exchange_declare(exchange.clone(), kind.clone(), options, none).await;
        let Some(refusal) = refusal(declared, name)? else { return Ok(()) };
        self.channel = self.connection.create_channel().await?;
        let options = ExchangeDeclareOptions { passive: true, ..options };
        let none = FieldTable::default();
        let found = self.channel.exchange_declare(exchange, kind, options, none).await;
        found.map_err(|error| missing(name, error, &refusal))
    }

    /// Declares a durable queue.
    ///
    /// # Errors
    /// Those of [`Declaring::exchange`].
    pub async fn queue(&mut self, name: &str, arguments: FieldTable) -> Result<(), BrokerError> {
        let options = QueueDeclareOptions { durable: true, ..Default::default() };
        let declared = self.channel.queue_declare(name.into(), options, arguments).await;
        let Some(refusal) = refusal(declared, name)? else { return Ok(()) };
        self.channel = self.connection.create_channel().await?;
        let options = QueueDeclareOptions { passive: true, ..options };
        let found = self.channel.queue_declare(name.into(), options, FieldTable::default()).await;
        found.map(drop).map_err(|error| missing(name, error, &refusal))
    }

    /// Binds a queue to an exchange. A binding that the user may not make is taken to exist, since
    /// AMQP has no question for it: a message that finds no queue comes back as returned.
    ///
    /// # Errors
    /// If the broker refuses for another reason.
    pub async fn bind(
        &mut self,
        queue: &str,
        exchange: &str,
        key: &str,
    ) -> Result<(), BrokerError> {
        let options = QueueBindOptions::default();
        let none = FieldTable::default();
        let bound =
            self.channel.queue_bind(queue.into(), exchange.into(), key.into(), options, none);
        if let Some(refusal) = refusal(bound.await, queue)? {
            log::debug!(queue; "the binding is taken to exist: {refusal}");
            self.channel = self.connection.create_channel().await?;
        }
        Ok(())
    }

    /// Closes the channel.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub async fn end(self) -> Result<(), BrokerError> {
        Ok(self.channel.close(200, "declared".into()).await?)
    }
}

/// The refusal of a user without the permission; `None` if the broker did what was asked.
fn refusal<T>(
    outcome: Result<T, lapin::Error>,
    name: &str,
) -> Result<Option<lapin::Error>, BrokerError> {
    match outcome {
        Ok(_) => Ok(None),
        Err(error) if is(&error, AMQPSoftError::ACCESSREFUSED) => Ok(Some(error)),
        Err(error) => Err(BrokerError::declaring(name, error)),
    }
}

fn missing(name: &str, error: lapin::Error, refusal: &lapin::Error) -> BrokerError {
    match is(&error, AMQPSoftError::NOTFOUND) {
        true => BrokerError::Missing { name: name.to_owned(), broker_says: refusal.to_string() },
        false => BrokerError::Amqp(error),
    }
}

fn is(error: &lapin::Error, kind: AMQPSoftError) -> bool {
    let ErrorKind::ProtocolError(said) = error.kind() else { return false };
    *said.kind() == AMQPErrorKind::Soft(kind)
}
