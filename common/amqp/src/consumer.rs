//! The consumer: every delivery is handled, and acked only once its handler has a durable effect.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection};
use service::{Readiness, Runtime};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::connection::{CLOSE_TIMEOUT, close, within};
use crate::consume_session::ConsumeSession;
use crate::delivery::{DeliveryHandler, DeliveryProcessor, MessageHandler};
use crate::error::BrokerError;
use crate::metrics::{ConnectionFamilies, ConnectionMetrics, ConsumerMetrics, MessageFamilies};
use crate::publisher::Publisher;
use crate::settings::ConnectionSettings;
use crate::status::Status;
use crate::supervisor::{End, Session, supervise};
use crate::topology::{Declare, WorkSubscription};

/// The consumer of any number of queues, each with a handler and a supervised connection of its own:
/// a message that breaks a connection holds up no other queue.
///
/// At the stop it cancels, lets the deliveries in flight end within the drain time, and requeues the
/// rest.
pub struct Consumer<'a, D> {
    settings: ConnectionSettings,
    topology: D,
    drain: Duration,
    runtime: &'a Runtime,
    tasks: Vec<ConsumerStatus>,
}

/// The state of one queue's consumer.
#[derive(Clone, Debug)]
struct ConsumerStatus {
    queue: String,
    status: watch::Receiver<Status>,
}

/// The consumers that were started.
#[derive(Clone, Debug)]
pub struct Consumers {
    tasks: Vec<ConsumerStatus>,
    drain: Duration,
}

/// A queue to consume, and its limits.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The queue.
    pub queue: String,
    /// Role of the connection, in metrics and in the broker's list of connections.
    pub role: &'static str,
    /// Largest number of unacked messages.
    pub prefetch: u16,
}

impl<D> std::fmt::Debug for Consumer<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.tasks.iter().map(|task| &task.queue)).finish()
    }
}

impl<'a, D: Declare> Consumer<'a, D> {
    /// A consumer without queues. `topology` is declared on every connection.
    pub fn new(
        settings: &ConnectionSettings,
        topology: &D,
        drain: Duration,
        runtime: &'a Runtime,
    ) -> Consumer<'a, D> {
        let (settings, topology) = (settings.clone(), topology.clone());
        Consumer { settings, topology, drain, runtime, tasks: Vec::new() }
    }

    /// Starts consuming a work queue: messages that the handler forwards leave through `publisher`,
    /// as confirmed copies, before the originals are acked.
    #[must_use]
    pub fn work_queue<H: MessageHandler>(
        self,
        subscription: WorkSubscription<'_>,
        publisher: &Publisher,
        handler: H,
    ) -> Consumer<'a, D> {
        let WorkSubscription { queue, prefetch } = subscription;
        let metrics = self.consumer_metrics(&queue.name);
        metrics.expect_dead_letters();
        let subscription = Subscription { queue: queue.name.clone(), role: "consume", prefetch };
        let (queue, publisher) = (queue.clone(), publisher.clone());
        let processor = DeliveryProcessor { handler, queue, publisher, metrics };
        self.queue(subscription, processor)
    }

    /// Starts consuming any queue.
    #[must_use]
    pub fn queue<H: DeliveryHandler>(
        mut self,
        subscription: Subscription,
        handler: H,
    ) -> Consumer<'a, D> {
        let (report, status) = watch::channel(Status::starting());
        let families: ConnectionFamilies = self.runtime.metrics.get();
        let connection = families.connection(subscription.role);
        let (seen, up) = (status.clone(), connection.up.clone());
        self.runtime.metrics.on_scrape(move || {
            up.set((*seen.borrow() == Status::Up).into());
        });
        let tasks = &self.runtime.tasks;
        let task = ConsumerTask {
            settings: self.settings.clone(),
            topology: self.topology.clone(),
            metrics: self.consumer_metrics(&subscription.queue),
            prefetch: subscription.prefetch,
            handler: Arc::new(handler),
            drain: self.drain,
            stopping: tasks.stopping(),
            connection,
            subscription,
        };
        let queue = task.subscription.queue.clone();
        tasks.spawn("consumer", supervise(task, report, tasks.stopping()));
        self.tasks.push(ConsumerStatus { queue, status });
        self
    }

    /// The consumers of all queues that were added.
    pub fn start(self) -> Consumers {
        Consumers { tasks: self.tasks, drain: self.drain }
    }

    fn consumer_metrics(&self, queue: &str) -> ConsumerMetrics {
        self.runtime.metrics.get::<MessageFamilies>().consumer(queue)
    }
}

impl Consumers {
    /// Returns once every consumer has ended: after the stop, within the drain time and the time to
    /// close the connections.
    pub async fn ended(mut self) {
        let limit = self.drain + 3 * CLOSE_TIMEOUT;
        let ended = self.tasks.iter_mut().map(|task| async move {
            let ended = async { while task.status.changed().await.is_ok() {} };
            if tokio::time::timeout(limit, ended).await.is_err() {
                let queue = &task.queue;
                log::warn!(queue; "the consumer does not end; its unacked messages are requeued");
            }
        });
        join_all(ended).await;
    }

    fn check(&self) -> Result<(), String> {
        self.tasks.iter().try_for_each(|task| task.status.borrow().check())
    }
}

/// Adds the component `name` to `readiness`: ready while every consumer is. Until `consumers` has a
/// value the process waits for its database.
pub fn add_consumers(
    readiness: &Readiness,
    name: &'static str,
    consumers: watch::Receiver<Option<Consumers>>,
) {
    readiness.add(name, move || {
        let starting = || Err("waiting for the database".to_owned());
        std::future::ready(consumers.borrow().as_ref().map_or_else(starting, Consumers::check))
    });
}

/// Factor by which a narrowed prefetch grows once that many messages went well.
const WIDER: u16 = 4;

/// The supervised work of one queue's consumer.
struct ConsumerTask<H, D> {
    settings: ConnectionSettings,
    topology: D,
    subscription: Subscription,
    /// The prefetch of the next session: 1 after a message may have ended the last one.
    prefetch: u16,
    handler: Arc<H>,
    drain: Duration,
    stopping: CancellationToken,
    connection: ConnectionMetrics,
    metrics: ConsumerMetrics,
}

/// A connection and its channel with the deliveries.
struct Started {
    connection: Connection,
    channel: Channel,
    deliveries: lapin::Consumer,
}

impl<H: DeliveryHandler, D: Declare> Session for ConsumerTask<H, D> {
    async fn run(&mut self, status: &watch::Sender<Status>) -> Result<End, BrokerError> {
        let started = tokio::select! {
            started = self.start() => started?,
            () = self.stopping.cancelled() => return Ok(End::Stop),
        };
        let (queue, prefetch) = (&self.subscription.queue, self.prefetch);
        self.connection.connects.inc();
        log::info!(queue, prefetch; "consuming");
        status.send_replace(Status::Up);
        let result = self.consume(started).await;
        if let Err(error) = &result
            && error.may_be_a_message()
        {
            self.prefetch = 1;
        }
        result
    }

    fn interrupted(&self, error: &BrokerError, _again: bool) {
        log::warn!(queue = self.subscription.queue; "consuming is interrupted: {error}");
    }

    fn retry_at_once(&mut self, error: &BrokerError) -> bool {
        error.may_be_a_message()
    }
}

impl<H: DeliveryHandler, D: Declare> ConsumerTask<H, D> {
    async fn start(&self) -> Result<Started, BrokerError> {
        let (connection, channel) =
            self.settings.open(self.subscription.role, &self.topology).await?;
        let consume = async {
            channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
            let queue = ShortString::from(self.subscription.queue.as_str());
            let options = BasicConsumeOptions::default();
            Ok(channel.basic_consume(queue, "".into(), options, FieldTable::default()).await?)
        };
        let deliveries =
            within(self.settings.connect_timeout, "starting to consume", consume).await?;
        Ok(Started { connection, channel, deliveries })
    }

    /// Consumes until the stop, an error, or the moment at which the prefetch may grow.
    async fn consume(&mut self, started: Started) -> Result<End, BrokerError> {
        let Started { connection, channel, mut deliveries } = started;
        let tag = deliveries.tag();
        let mut session = ConsumeSession::on(channel);
        let mut acked = 0;
        let end = loop {
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => break Ok(End::Stop),
                Some(first) = session.unacked.join_next() => {
                    match session.ack_finished(first).await {
                        Ok(count) => acked += count,
                        Err(error) => break Err(error),
                    }
                    if self.may_widen(acked) {
                        break Ok(End::Restart);
                    }
                }
                delivery = deliveries.next() => match delivery {
                    Some(Ok(delivery)) => self.handle(&mut session, delivery),
                    Some(Err(error)) => break Err(BrokerError::Amqp(error)),
                    None => {
                        break Err(BrokerError::ConsumerEnded(self.subscription.queue.clone()));
                    }
                },
            }
        };
        let result = match end {
            Err(error) => Err(error),
            Ok(end) => session.drain(tag, self.drain).await.map(|()| end),
        };
        close(&connection).await;
        if matches!(result, Ok(End::Restart)) {
            let wider = self.prefetch.saturating_mul(WIDER);
            self.prefetch = wider.min(self.subscription.prefetch);
        }
        result
    }

    fn may_widen(&self, acked: usize) -> bool {
        self.prefetch < self.subscription.prefetch && acked >= usize::from(self.prefetch)
    }

    fn handle(&self, session: &mut ConsumeSession, delivery: Delivery) {
        let tag = delivery.delivery_tag;
        session.acks.open(tag);
        let (handler, message) = (self.handler.clone(), self.metrics.delivered());
        session.unacked.spawn(async move {
            let disposition = handler.handle(delivery.data, delivery.properties).await;
            message.processed();
            (tag, disposition)
        });
    }
}
