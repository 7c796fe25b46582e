//! Publishing with confirms, a batch at a time.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{Channel, Confirmation};

use super::link::{Link, supervise};
use super::outgoing::Outgoing;
use super::publishing::Publishing;
use super::settings::BrokerSettings;
use super::status::Status;
use crate::runtime::{Backoff, Gather, GatherLimits, Gathered, Metrics};
use crate::runtime::{NotGathered, Station, Tasks, crash_point};

/// One batch at a time on the channel: lapin hands a returned message to whichever confirm
/// resolves next, so a batch can be judged only when all its confirms are there.
const LIMITS: GatherLimits = GatherLimits { waiting_max: 4096, batch_max: 500, in_flight_max: 1 };

/// Why a message cannot be taken for stored. Whoever owns it keeps it and publishes it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotConfirmed {
    /// There is no usable connection; nothing was sent.
    #[error("not connected")]
    NotConnected,
    /// The broker found no queue for it.
    #[error("returned as unroutable")]
    Returned,
    /// The broker refused to store it.
    #[error("refused by the broker")]
    Nacked,
    /// The connection was lost or silent before the confirm: stored or not, nobody knows.
    #[error("no confirm came")]
    Unknown,
}

/// The way out. Clones share one connection.
#[derive(Clone, Debug)]
pub struct Publisher {
    gather: Gather<Publish>,
    link: Arc<Link>,
}

impl Publisher {
    /// Starts connecting, and keeps at it until `tasks` end.
    pub fn start(settings: BrokerSettings, tasks: &Tasks, metrics: &Metrics) -> Publisher {
        let link = Arc::new(Link::new());
        let station = Publish {
            link: link.clone(),
            numbers: Publishing::new(&settings.topology, &link, metrics),
            confirm_timeout: settings.confirm_timeout,
        };
        let gather = Gather::open(station, LIMITS, tasks, metrics);
        let supervisor = supervise(settings, link.clone(), metrics.broker.connecting("publish"));
        tasks.spawn("publisher", supervisor);
        Publisher { gather, link }
    }

    /// Publishes one message and waits for its own confirm. `Ok` means that the broker has
    /// stored it on a majority of its queue's members.
    pub async fn publish(&self, message: Outgoing) -> Result<(), NotConfirmed> {
        judged(self.gather.submit(message).await)
    }

    /// Publishes messages as one group and waits for the confirms of all. Answers in their order.
    pub async fn publish_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), NotConfirmed>> {
        let outcomes = self.gather.submit_all(messages).await;
        outcomes.into_iter().map(judged).collect()
    }

    /// Publishes until it is confirmed, however long that takes.
    pub async fn publish_until_confirmed(&self, message: &Outgoing) {
        let mut backoff = Backoff::for_server();
        while let Err(why) = self.publish(message.clone()).await {
            log::debug!("a message will be published again: {why}");
            backoff.wait().await;
            self.up().await;
        }
    }

    /// Waits until the connection is usable.
    pub async fn up(&self) {
        let mut status = self.link.status.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        drop(status.wait_for(|status| *status == Status::Up).await);
    }

    /// Says goodbye to the broker. Nothing is published after this.
    pub async fn close(&self) {
        self.link.closing.cancel();
        let mut status = self.link.status.subscribe();
        drop(status.wait_for(|status| matches!(status, Status::Away(_))).await);
    }

    /// How the connection is at the moment.
    pub fn status(&self) -> Status {
        self.link.status.borrow().clone()
    }
}

fn judged(outcome: Gathered<Publish>) -> Result<(), NotConfirmed> {
    match outcome {
        Ok(outcome) => outcome,
        Err(NotGathered::Closed | NotGathered::Full) => Err(NotConfirmed::Unknown),
        Err(NotGathered::Failed(never)) => match never {},
    }
}

#[derive(Debug)]
struct Publish {
    link: Arc<Link>,
    numbers: Publishing,
    confirm_timeout: Duration,
}

impl Station for Publish {
    const NAME: &'static str = "publish";
    type Item = Outgoing;
    type Done = Result<(), NotConfirmed>;
    type Fault = Infallible;

    async fn run(&self, batch: &[Outgoing]) -> Result<Vec<Self::Done>, Infallible> {
        let session = self.link.session.borrow().clone();
        let usable = *self.link.status.borrow() == Status::Up;
        let given_up = *self.link.given_up.borrow();
        let Some(session) = session.filter(|session| usable && session.number != given_up) else {
            let outcomes = vec![Err(NotConfirmed::NotConnected); batch.len()];
            self.numbers.count(batch, &outcomes);
            return Ok(outcomes);
        };
        let begun = Instant::now();
        let sent = send_and_confirm(&session.channel, batch);
        let outcomes = tokio::time::timeout(self.confirm_timeout, sent)
            .await
            .unwrap_or_else(|_| vec![Err(NotConfirmed::Unknown); batch.len()]);
        self.numbers.ended(batch, &outcomes, begun.elapsed());
        let suspicious = [Err(NotConfirmed::Unknown), Err(NotConfirmed::Returned)];
        if outcomes.iter().any(|outcome| suspicious.contains(outcome)) {
            self.link.given_up.send_replace(session.number);
        }
        Ok(outcomes)
    }

    fn may_blame_an_item(fault: &Infallible) -> bool {
        match *fault {}
    }
}

/// Sends all, waits for all confirms, and only then judges each.
pub(super) async fn send_and_confirm(
    channel: &Channel,
    batch: &[Outgoing],
) -> Vec<Result<(), NotConfirmed>> {
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let sends = batch.iter().map(|m| {
        let (exchange, key) = (m.exchange.clone(), m.routing_key.clone());
        channel.basic_publish(exchange, key, options, &m.body, m.properties.clone())
    });
    let sent = join_all(sends).await;
    crash_point::reach_all(batch, Outgoing::sent);
    let confirms = sent.into_iter().map(async |sent| match sent {
        Ok(confirm) => confirm.await.ok(),
        Err(_) => None,
    });
    let confirms = join_all(confirms).await;
    let returned: HashSet<ShortString> =
        confirms.iter().flatten().filter_map(returned_id).collect();
    let judged = batch.iter().zip(confirms).map(|(message, confirm)| match confirm {
        Some(Confirmation::Nack(_)) => Err(NotConfirmed::Nacked),
        _ if message.message_id().is_some_and(|id| returned.contains(id)) => {
            Err(NotConfirmed::Returned)
        }
        Some(Confirmation::Ack(_)) => Ok(()),
        Some(Confirmation::NotRequested) | None => Err(NotConfirmed::Unknown),
    });
    judged.collect()
}

fn returned_id(confirm: &Confirmation) -> Option<ShortString> {
    match confirm {
        Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message)) => {
            message.properties.message_id().clone()
        }
        Confirmation::Ack(None) | Confirmation::Nack(None) | Confirmation::NotRequested => None,
    }
}
