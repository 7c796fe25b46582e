//! The consumer of one queue on its own connection.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::connection::{close, within};
use crate::consume_session::ConsumeSession;
use crate::delivery::DeliveryHandler;
use crate::error::BrokerError;
use crate::metrics::{ConnectionMetrics, ConsumerMetrics};
use crate::settings::ConnectionSettings;
use crate::status::Status;
use crate::supervisor::{End, Session};
use crate::topology::Declare;

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

/// Factor by which a narrowed prefetch grows once that many messages went well.
const WIDER: u16 = 4;

/// The supervised work of one queue's consumer.
pub(crate) struct ConsumerTask<H, D> {
    pub(crate) settings: ConnectionSettings,
    pub(crate) topology: D,
    pub(crate) subscription: Subscription,
    /// The prefetch of the next session: 1 after a message may have ended the last one.
    pub(crate) prefetch: u16,
    /// A message may have ended the last session. An error before the first delivery has other causes.
    pub(crate) may_be_a_message: bool,
    pub(crate) handler: Arc<H>,
    pub(crate) drain: Duration,
    pub(crate) stopping: CancellationToken,
    pub(crate) connection: ConnectionMetrics,
    pub(crate) metrics: ConsumerMetrics,
}

/// A connection and its channel with the deliveries.
struct Started {
    connection: Connection,
    channel: Channel,
    deliveries: lapin::Consumer,
}

impl<H: DeliveryHandler, D: Declare> Session for ConsumerTask<H, D> {
    async fn run(&mut self, status: &watch::Sender<Status>) -> Result<End, BrokerError> {
        self.may_be_a_message = false;
        let started = tokio::select! {
            started = self.start() => started?,
            () = self.stopping.cancelled() => return Ok(End::Stop),
        };
        let (queue, prefetch) = (&self.subscription.queue, self.prefetch);
        self.connection.connects.inc();
        log::info!(queue, prefetch; "consuming");
        status.send_replace(Status::Up);
        let result = self.consume(started).await;
        self.may_be_a_message = result.as_ref().is_err_and(BrokerError::may_be_a_message);
        if self.may_be_a_message {
            self.prefetch = 1;
        }
        result
    }

    fn interrupted(&self, error: &BrokerError, _again: bool) {
        log::warn!(queue = self.subscription.queue; "consuming is interrupted: {error}");
    }

    fn retry_at_once(&mut self, _error: &BrokerError) -> bool {
        self.may_be_a_message
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
