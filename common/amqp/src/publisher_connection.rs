//! The connection of the publisher.

use std::sync::Arc;

use futures_util::StreamExt as _;
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection, Event};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::connection::{Opened, close, within};
use crate::error::BrokerError;
use crate::metrics::ConnectionMetrics;
use crate::settings::ConnectionSettings;
use crate::status::Status;
use crate::supervisor::{End, Session};
use crate::topology::Topology;

/// The publishing connection, as its supervisor and its users share it.
#[derive(Debug)]
pub(crate) struct PublisherConnection {
    /// The session, while the connection is open.
    pub(crate) session: watch::Sender<Option<PublishSession>>,
    pub(crate) status: watch::Sender<Status>,
    /// The last session that a publish gave up. A number, so that a late finding about one session
    /// does not end the next.
    pub(crate) given_up: watch::Sender<u64>,
    /// Cancelled when the connection is to close for good.
    pub(crate) closing: CancellationToken,
}

/// The channel of one connection.
#[derive(Clone, Debug)]
pub(crate) struct PublishSession {
    pub(crate) number: u64,
    pub(crate) channel: Channel,
}

impl PublisherConnection {
    pub(crate) fn new() -> PublisherConnection {
        PublisherConnection {
            session: watch::Sender::new(None),
            status: watch::Sender::new(Status::starting()),
            given_up: watch::Sender::new(0),
            closing: CancellationToken::new(),
        }
    }
}

/// The supervised work: connect, declare, and stay until the connection is lost or given up.
pub(crate) struct Connecting {
    pub(crate) settings: ConnectionSettings,
    pub(crate) topology: Topology,
    pub(crate) connection: Arc<PublisherConnection>,
    pub(crate) metrics: ConnectionMetrics,
    /// The number of the last session.
    pub(crate) number: u64,
}

impl Session for Connecting {
    async fn run(&mut self, status: &watch::Sender<Status>) -> Result<End, BrokerError> {
        self.number += 1;
        let result = self.session(status, self.number).await;
        self.connection.session.send_replace(None);
        result
    }

    fn interrupted(&self, error: &BrokerError, _again: bool) {
        log::warn!(broker:% = self.settings.brokers; "publishing is interrupted: {error}");
    }
}

impl Connecting {
    async fn session(
        &self,
        status: &watch::Sender<Status>,
        number: u64,
    ) -> Result<End, BrokerError> {
        let shared = &self.connection;
        let Opened { connection, channel, place } = tokio::select! {
            opened = self.settings.open("publish", &self.topology) => opened?,
            () = shared.closing.cancelled() => return Ok(End::Stop),
        };
        let confirms = async { Ok(channel.confirm_select(ConfirmSelectOptions::default()).await?) };
        within(self.settings.connect_timeout, "turning confirms on", confirms).await?;
        self.metrics.connects.inc();
        log::info!(broker:% = self.settings.brokers; "publishing");
        let mut given_up = shared.given_up.subscribe();
        shared.session.send_replace(Some(PublishSession { number, channel }));
        status.send_replace(Status::Up);
        let end = tokio::select! {
            error = watch_events(&connection, status) => Err(error),
            _ = given_up.wait_for(|given_up| *given_up == number) => {
                Err(BrokerError::GivenUp("a message was returned or not confirmed"))
            }
            () = shared.closing.cancelled() => Ok(End::Stop),
        };
        if end.is_err() {
            place.lost();
        }
        close(&connection).await;
        end
    }
}

/// Follows the events of a connection until it is lost.
async fn watch_events(connection: &Connection, status: &watch::Sender<Status>) -> BrokerError {
    let mut events = std::pin::pin!(connection.events_listener());
    while let Some(event) = events.next().await {
        match event {
            Event::ConnectionBlocked(reason) => {
                log::warn!("the broker accepts no messages: {reason}");
                status.send_replace(Status::Blocked(reason));
            }
            Event::ConnectionUnblocked => {
                log::info!("the broker accepts messages again");
                status.send_replace(Status::Up);
            }
            Event::Error(error) => return BrokerError::Amqp(error),
            Event::Connected | Event::SendFlow(_) | _ => {}
        }
    }
    BrokerError::GivenUp("the connection is closed")
}
