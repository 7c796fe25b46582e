//! Keeping the publishing connection up.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection, Event};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::connection::{STABLE, close, within};
use super::fault::Fault;
use super::settings::BrokerSettings;
use super::status::Status;
use crate::runtime::{Backoff, Connecting};

/// One connection for publishing, as seen from both sides: whoever keeps it up and whoever uses it.
#[derive(Debug)]
pub(super) struct Link {
    /// There while the connection is.
    pub(super) session: watch::Sender<Option<Session>>,
    pub(super) status: watch::Sender<Status>,
    /// The last session that a publish found wanting. A number, so that what is found late about
    /// one session does not end the next.
    pub(super) given_up: watch::Sender<u64>,
    /// Cancelled when it is to end for good.
    pub(super) closing: CancellationToken,
}

/// A connection's usable time, with its channel.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) number: u64,
    pub(super) channel: Channel,
}

impl Link {
    pub(super) fn new() -> Link {
        Link {
            session: watch::Sender::new(None),
            status: watch::Sender::new(Status::Away("not connected yet".to_owned())),
            given_up: watch::Sender::new(0),
            closing: CancellationToken::new(),
        }
    }
}

/// Connects, declares and stays until the connection is lost or found wanting, then begins anew.
pub(super) async fn supervise(settings: BrokerSettings, link: Arc<Link>, numbers: Connecting) {
    let mut backoff = Backoff::for_server();
    for number in 1.. {
        let begun = Instant::now();
        let fault = match session(&settings, &link, &numbers, number).await {
            Ok(never) => match never {},
            Err(fault) => fault,
        };
        link.session.send_replace(None);
        link.status.send_replace(Status::Away(fault.to_string()));
        if link.closing.is_cancelled() {
            return;
        }
        log::warn!(broker:% = settings.url; "publishing is interrupted: {fault}");
        if begun.elapsed() > STABLE {
            backoff.reset();
        }
        backoff.wait().await;
    }
}

async fn session(
    settings: &BrokerSettings,
    link: &Link,
    numbers: &Connecting,
    number: u64,
) -> Result<Infallible, Fault> {
    let (connection, channel) = settings.open("publish").await?;
    let confirms = async { Ok(channel.confirm_select(ConfirmSelectOptions::default()).await?) };
    within(settings.connect_timeout, "turning confirms on", confirms).await?;
    numbers.connects.inc();
    log::info!(broker:% = settings.url; "publishing");
    let mut given_up = link.given_up.subscribe();
    link.session.send_replace(Some(Session { number, channel }));
    link.status.send_replace(Status::Up);
    let fault = tokio::select! {
        fault = watch_events(&connection, link) => fault,
        _ = given_up.wait_for(|given_up| *given_up == number) => {
            Fault::GivenUp("a message was returned or not confirmed")
        }
        () = link.closing.cancelled() => Fault::GivenUp("closed"),
    };
    close(&connection).await;
    Err(fault)
}

/// Follows what the broker says about the connection until it is lost.
async fn watch_events(connection: &Connection, link: &Link) -> Fault {
    let mut events = std::pin::pin!(connection.events_listener());
    while let Some(event) = events.next().await {
        match event {
            Event::ConnectionBlocked(reason) => {
                log::warn!("the broker takes no messages: {reason}");
                link.status.send_replace(Status::Blocked(reason));
            }
            Event::ConnectionUnblocked => {
                log::info!("the broker takes messages again");
                link.status.send_replace(Status::Up);
            }
            Event::Error(error) => return Fault::Amqp(error),
            Event::Connected | Event::SendFlow(_) | _ => {}
        }
    }
    Fault::GivenUp("the connection is closed")
}
