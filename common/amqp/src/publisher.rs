//! Publishing with confirms, a batch at a time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use batcher::{BatchHandler, BatchLimits, Batcher, SubmitError, SubmitResult};
use lapin::Channel;
use service::{Backoff, Readiness, Runtime};

use crate::confirms::{NotConfirmed, send_and_confirm};
use crate::metrics::ConnectionFamilies;
use crate::outgoing::Outgoing;
use crate::pace::Pace;
use crate::publish_metrics::PublishMetrics;
use crate::publisher_connection::{Connecting, PublisherConnection};
use crate::settings::BrokerSettings;
use crate::status::{BrokerNeed, Status};
use crate::supervisor::supervise;

/// One batch at a time on the channel: lapin hands a returned message to whichever confirm
/// resolves next, so a batch can be judged only when all its confirms are there.
const LIMITS: BatchLimits = BatchLimits { waiting_max: 4096, batch_max: 500, in_flight_max: 1 };

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
            pace: Pace::new(LIMITS.batch_max),
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

    /// Adds the component `publisher`, which works while the connection is usable.
    pub fn add_readiness(&self, readiness: &Readiness, need: BrokerNeed) {
        let publisher = self.clone();
        let check = move || need.state(publisher.status().check());
        readiness.add("publisher", move || std::future::ready(check()));
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
    pace: Pace,
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
        let outcomes = self.publish_parts(&session.channel, batch).await;
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

impl Publish {
    /// Publishes a batch in parts of the present size, usually one. A part that begins late would run
    /// into the timeout: its messages are not sent.
    async fn publish_parts(
        &self,
        channel: &Channel,
        batch: &[Outgoing],
    ) -> Vec<Result<(), NotConfirmed>> {
        let started = Instant::now();
        let deadline = tokio::time::Instant::from_std(started) + self.confirm_timeout;
        let mut outcomes = Vec::with_capacity(batch.len());
        while let Some(rest) = batch.get(outcomes.len()..).filter(|rest| !rest.is_empty()) {
            let part = rest.get(..self.pace.part_max()).unwrap_or(rest);
            if started.elapsed() > self.confirm_timeout / 2 {
                outcomes.resize(batch.len(), Err(NotConfirmed::NotSent));
                break;
            }
            let begun = Instant::now();
            let judged = send_and_confirm(channel, part, deadline).await;
            let lost = judged.contains(&Err(NotConfirmed::Unknown));
            outcomes.extend(judged);
            self.pace.took(part.len(), begun.elapsed(), self.confirm_timeout);
            if lost {
                // The connection is given up: nothing more is sent on it.
                outcomes.resize(batch.len(), Err(NotConfirmed::NotConnected));
            }
        }
        outcomes
    }
}
