//! Publishing with confirms, a batch at a time.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use batcher::{BatchHandler, BatchLimits, Batcher, SubmitError, SubmitResult};
use futures_util::future::join_all;
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{Channel, Confirmation};
use service::{Backoff, Readiness, Runtime, crash_point};
use telemetry::metrics::Histogram;

use crate::metrics::{ConnectionFamilies, MessageFamilies, SentMetrics};
use crate::outgoing::Outgoing;
use crate::publisher_connection::{Connecting, PublisherConnection};
use crate::settings::BrokerSettings;
use crate::status::Status;
use crate::supervisor::supervise;
use crate::topology::Topology;

/// One batch at a time on the channel: lapin hands a returned message to whichever confirm
/// resolves next, so a batch can be judged only when all its confirms are there.
const LIMITS: BatchLimits = BatchLimits { waiting_max: 4096, batch_max: 500, in_flight_max: 1 };

/// The reason why a message does not count as stored. Its owner keeps it and publishes it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotConfirmed {
    /// There is no usable connection; the message was not sent.
    #[error("not connected")]
    NotConnected,
    /// The broker found no queue for it.
    #[error("returned as unroutable")]
    Returned,
    /// The broker refused to store it.
    #[error("refused by the broker")]
    Nacked,
    /// The connection was lost or silent before the confirm; the message may be stored.
    #[error("no confirm came")]
    Unknown,
}

/// The publisher of a process. Clones share one connection.
#[derive(Clone, Debug)]
pub struct Publisher {
    batcher: Batcher<Publish>,
    connection: Arc<PublisherConnection>,
}

impl Publisher {
    /// Starts connecting, and reconnects until it is closed.
    pub fn start(settings: &BrokerSettings, runtime: &Runtime) -> Publisher {
        let connection = Arc::new(PublisherConnection::new());
        let publish = Publish {
            connection: connection.clone(),
            metrics: PublishMetrics::new(&settings.topology, &connection, runtime),
            confirm_timeout: settings.confirm_timeout,
        };
        let batcher = Batcher::open(publish, LIMITS, runtime);
        let families: ConnectionFamilies = runtime.metrics.get();
        let connecting = Connecting {
            settings: settings.connection.clone(),
            topology: settings.topology.clone(),
            connection: connection.clone(),
            metrics: families.connection("publish"),
            number: 0,
        };
        let (status, closing) = (connection.status.clone(), connection.closing.clone());
        runtime.tasks.spawn("publisher", supervise(connecting, status, closing));
        Publisher { batcher, connection }
    }

    /// Publishes one message and waits for its own confirm. `Ok` means that the broker has
    /// stored it on a majority of its queue's members.
    pub async fn publish(&self, message: Outgoing) -> Result<(), NotConfirmed> {
        judged(self.batcher.submit(message).await)
    }

    /// Publishes messages as one submission and waits for the confirms of all. Results are in the
    /// order of `messages`.
    pub async fn publish_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), NotConfirmed>> {
        let outcomes = self.batcher.submit_all(messages).await;
        outcomes.into_iter().map(judged).collect()
    }

    /// Publishes a message again and again until it is confirmed.
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
        let mut status = self.connection.status.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        drop(status.wait_for(|status| *status == Status::Up).await);
    }

    /// Closes the connection. Nothing is published after this.
    pub async fn close(&self) {
        self.connection.closing.cancel();
        let mut status = self.connection.status.subscribe();
        drop(status.wait_for(|status| matches!(status, Status::Disconnected(_))).await);
    }

    /// Adds the component `publisher`: ready while the connection is usable.
    pub fn add_readiness(&self, readiness: &Readiness) {
        let publisher = self.clone();
        readiness.add("publisher", move || std::future::ready(publisher.status().check()));
    }

    /// State of the connection at the moment.
    pub fn status(&self) -> Status {
        self.connection.status.borrow().clone()
    }
}

fn judged(outcome: SubmitResult<Publish>) -> Result<(), NotConfirmed> {
    match outcome {
        Ok(outcome) => outcome,
        Err(SubmitError::Closed | SubmitError::Full) => Err(NotConfirmed::Unknown),
        Err(SubmitError::Failed(never)) => match never {},
    }
}

#[derive(Debug)]
struct Publish {
    connection: Arc<PublisherConnection>,
    metrics: PublishMetrics,
    confirm_timeout: Duration,
}

impl BatchHandler for Publish {
    const NAME: &'static str = "publish";
    type Item = Outgoing;
    type Output = Result<(), NotConfirmed>;
    type Error = Infallible;

    async fn run(&self, batch: &[Outgoing]) -> Result<Vec<Self::Output>, Infallible> {
        let session = self.connection.session.borrow().clone();
        let usable = *self.connection.status.borrow() == Status::Up;
        let given_up = *self.connection.given_up.borrow();
        let Some(session) = session.filter(|session| usable && session.number != given_up) else {
            let outcomes = vec![Err(NotConfirmed::NotConnected); batch.len()];
            self.metrics.count(batch, &outcomes);
            return Ok(outcomes);
        };
        let started = Instant::now();
        let sent = send_and_confirm(&session.channel, batch);
        let outcomes = tokio::time::timeout(self.confirm_timeout, sent)
            .await
            .unwrap_or_else(|_| vec![Err(NotConfirmed::Unknown); batch.len()]);
        self.metrics.published(batch, &outcomes, started.elapsed());
        let suspicious = [Err(NotConfirmed::Unknown), Err(NotConfirmed::Returned)];
        if outcomes.iter().any(|outcome| suspicious.contains(outcome)) {
            self.connection.given_up.send_replace(session.number);
        }
        Ok(outcomes)
    }

    fn may_blame_an_item(error: &Infallible) -> bool {
        match *error {}
    }
}

/// Sends all messages, waits for all confirms, and only then decides message by message.
pub(crate) async fn send_and_confirm(
    channel: &Channel,
    batch: &[Outgoing],
) -> Vec<Result<(), NotConfirmed>> {
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let sends = batch.iter().map(|m| {
        let (exchange, key) = (m.exchange.clone(), m.routing_key.clone());
        channel.basic_publish(exchange, key, options, &m.body, m.properties.clone())
    });
    let sent = join_all(sends).await;
    crash_point::reach_all(batch, |message| message.sent);
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

/// The destination of messages to a queue that the settings do not name; there are none.
const OTHER: &str = "_OTHER";

/// Metrics of publishing, resolved for every queue of the topology.
#[derive(Debug)]
struct PublishMetrics {
    took: Histogram,
    sent: HashMap<String, SentMetrics>,
    other: SentMetrics,
}

impl PublishMetrics {
    /// Resolves them, and shows the state of the connection at every scrape.
    fn new(
        topology: &Topology,
        connection: &Arc<PublisherConnection>,
        runtime: &Runtime,
    ) -> PublishMetrics {
        let messages: MessageFamilies = runtime.metrics.get();
        let families: ConnectionFamilies = runtime.metrics.get();
        let up = families.connection("publish").up;
        let (connection, blocked) = (connection.clone(), families.blocked);
        runtime.metrics.on_scrape(move || {
            let status = connection.status.borrow();
            up.set((!matches!(*status, Status::Disconnected(_))).into());
            blocked.set(matches!(*status, Status::Blocked(_)).into());
        });
        let queues = topology.work_queues.iter().flat_map(|queue| queue.all());
        PublishMetrics {
            took: messages.publish_duration(),
            sent: queues.map(|queue| (queue.clone(), messages.sent(&queue))).collect(),
            other: messages.sent(OTHER),
        }
    }

    /// Observes a batch that was sent.
    fn published(&self, batch: &[Outgoing], outcomes: &[Result<(), NotConfirmed>], took: Duration) {
        self.took.observe(took.as_secs_f64());
        self.count(batch, outcomes);
    }

    /// Counts outcomes. Neighbours with the same destination and outcome are counted together.
    fn count(&self, batch: &[Outgoing], outcomes: &[Result<(), NotConfirmed>]) {
        let pairs: Vec<_> = batch.iter().zip(outcomes).collect();
        let same = |a: &(&Outgoing, &Result<(), NotConfirmed>), b: &(&Outgoing, &Result<_, _>)| {
            a.0.routing_key == b.0.routing_key && a.1 == b.1
        };
        for alike in pairs.chunk_by(same) {
            let Some((message, outcome)) = alike.first() else { continue };
            let sent = self.sent.get(message.routing_key.as_str()).unwrap_or(&self.other);
            let counter = match outcome {
                Ok(()) => &sent.confirmed,
                Err(NotConfirmed::NotConnected) => &sent.not_connected,
                Err(NotConfirmed::Returned) => &sent.returned,
                Err(NotConfirmed::Nacked) => &sent.nacked,
                Err(NotConfirmed::Unknown) => &sent.unknown,
            };
            counter.inc_by(u64::try_from(alike.len()).unwrap_or(u64::MAX));
        }
    }
}
