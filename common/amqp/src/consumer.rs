//! The consumer: every delivery is handled, and acked only once its handler has a durable effect.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use service::{ComponentState, Readiness, Runtime};
use tokio::sync::watch;

use crate::connection::CLOSE_TIMEOUT;
use crate::consumer_task::{ConsumerTask, Subscription};
use crate::delivery::{DeliveryHandler, DeliveryProcessor, MessageHandler};
use crate::metrics::{ConnectionFamilies, ConsumerMetrics, MessageFamilies};
use crate::publisher::Publisher;
use crate::settings::ConnectionSettings;
use crate::status::{BrokerNeed, Status};
use crate::supervisor::supervise;
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
        let WorkSubscription { queue, role, prefetch } = subscription;
        let metrics = self.consumer_metrics(&queue.name);
        metrics.expect_dead_letters();
        let subscription = Subscription { queue: queue.name.clone(), role, prefetch };
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
            may_be_a_message: false,
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

/// Adds the component `name` to `readiness`, which works while every consumer does. Until
/// `consumers` has a value the process waits for its database, and is not ready.
pub fn add_consumers(
    readiness: &Readiness,
    name: &'static str,
    consumers: watch::Receiver<Option<Consumers>>,
    need: BrokerNeed,
) {
    readiness.add(name, move || {
        let starting = || ComponentState::Down("waiting for the database".to_owned());
        let started = |consumers: &Consumers| need.state(consumers.check());
        std::future::ready(consumers.borrow().as_ref().map_or_else(starting, started))
    });
}
