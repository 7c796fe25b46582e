//! The consumer of one queue on its own connection.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicGetOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::connection::{Opened, Purpose, close, within};
use crate::consume_session::ConsumeSession;
use crate::delivery::DeliveryHandler;
use crate::error::BrokerError;
use crate::headers::earlier_deliveries;
use crate::metrics::{ConnectionMetrics, ConsumerMetrics};
use crate::settings::ConnectionSettings;
use crate::status::Status;
use crate::supervisor::{End, Session};
use crate::topology::Declare;
use crate::unacked_bytes::UnackedBytes;

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
/// Number of earlier deliveries from which a message may be the one that kills its consumers. It is
/// kept by the broker, so that it outlives the process.
const SUSPICIOUS: i64 = 2;
/// Time without room for the next body, after which the connection is given up. The broker's
/// heartbeats wait behind that body; lapin gives up after 8 s without one.
const NO_ROOM_MAX: Duration = Duration::from_secs(5);
/// Interval between two checks of the room.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// The supervised work of one queue's consumer.
pub(crate) struct ConsumerTask<H, D> {
    pub(crate) settings: ConnectionSettings,
    pub(crate) topology: D,
    pub(crate) subscription: Subscription,
    /// The prefetch of the next session: smaller after a message may have ended the last one, or
    /// after messages too large for the whole prefetch.
    pub(crate) prefetch: u16,
    /// A message may have ended the last session. An error before the first delivery has other causes.
    pub(crate) may_be_a_message: bool,
    pub(crate) handler: Arc<H>,
    pub(crate) drain: Duration,
    pub(crate) stopping: CancellationToken,
    pub(crate) connection: ConnectionMetrics,
    pub(crate) metrics: ConsumerMetrics,
}

/// A connection and the first message of the queue, if there is one.
struct Started {
    opened: Opened,
    bytes: UnackedBytes,
    first: Option<Delivery>,
}

impl<H: DeliveryHandler, D: Declare> Session for ConsumerTask<H, D> {
    async fn run(&mut self, status: &watch::Sender<Status>) -> Result<End, BrokerError> {
        self.may_be_a_message = false;
        let started = self.start().await?;
        let (queue, prefetch) = (&self.subscription.queue, self.prefetch);
        self.connection.connects.inc();
        log::info!(queue, prefetch; "consuming");
        status.send_replace(Status::Up);
        let place = started.opened.place.clone();
        let result = self.consume(started).await;
        if result.is_err() {
            place.lost();
        }
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
        let bytes = UnackedBytes::new(self.settings.unacked_bytes_max);
        let purpose = Purpose { role: self.subscription.role, bytes: Some(bytes.clone()) };
        let opened = self.settings.open_for(purpose, &self.topology).await?;
        let first = self.get(&opened.channel).await?;
        Ok(Started { opened, bytes, first })
    }

    /// Consumes until the stop, an error, or the moment at which the prefetch may grow.
    async fn consume(&mut self, started: Started) -> Result<End, BrokerError> {
        let Started { opened, bytes, first } = started;
        let mut session = ConsumeSession::on(opened.channel, bytes);
        let end = match self.go_cautiously(&mut session, first).await {
            Ok(None) => self.receive(&mut session).await,
            Ok(Some(end)) => Ok(end),
            Err(error) => Err(error),
        };
        let result = match end {
            Err(error) => Err(error),
            Ok(end) => session.drain(self.drain).await.map(|()| end),
        };
        close(&opened.connection).await;
        session.bytes.end();
        result
    }

    /// Handles the messages at the head of the queue that came back from dead consumers: one by one
    /// at first, so that the one that kills its consumers takes no others along. Returns once other
    /// messages follow, or with the reason to end the session.
    async fn go_cautiously(
        &self,
        session: &mut ConsumeSession,
        first: Option<Delivery>,
    ) -> Result<Option<End>, BrokerError> {
        let (mut next, mut at_once, mut acked) = (first, 1, 0);
        while let Some(delivery) = next {
            let earlier = delivery.properties.headers().as_ref().map_or(0, earlier_deliveries);
            self.handle(session, delivery);
            if earlier < SUSPICIOUS || at_once >= usize::from(self.prefetch) {
                return Ok(None);
            }
            let queue = &self.subscription.queue;
            log::debug!(queue, earlier, at_once; "going on cautiously");
            while session.unacked.len() >= at_once {
                tokio::select! {
                    biased;
                    () = self.stopping.cancelled() => return Ok(Some(End::Stop)),
                    Some(ended) = session.unacked.join_next() => {
                        acked += session.ack_finished(ended).await?;
                    }
                }
            }
            if acked >= at_once {
                (at_once, acked) = (at_once * usize::from(WIDER), 0);
            }
            next = self.get(&session.channel).await?;
        }
        Ok(None)
    }

    async fn receive(&mut self, session: &mut ConsumeSession) -> Result<End, BrokerError> {
        let mut deliveries = self.start_consuming(&session.channel).await?;
        session.consumer = Some(deliveries.tag());
        let mut check = tokio::time::interval(CHECK_EVERY);
        let mut acked = 0;
        loop {
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Ok(End::Stop),
                Some(first) = session.unacked.join_next() => {
                    acked += session.ack_finished(first).await?;
                    if acked >= usize::from(self.prefetch) && self.widen(session) {
                        return Ok(End::Restart);
                    }
                    acked %= usize::from(self.prefetch.max(1));
                }
                delivery = deliveries.next() => match delivery {
                    Some(Ok(delivery)) => self.handle(session, delivery),
                    Some(Err(error)) => return Err(BrokerError::Amqp(error)),
                    None => {
                        return Err(BrokerError::ConsumerEnded(self.subscription.queue.clone()));
                    }
                },
                _ = check.tick() => if session.bytes.waiting_for() > NO_ROOM_MAX {
                    self.prefetch = session.bytes.messages_that_fit(self.subscription.prefetch);
                    return Err(BrokerError::GivenUp("its unacked messages are too large together"));
                },
            }
        }
    }

    async fn start_consuming(&self, channel: &Channel) -> Result<lapin::Consumer, BrokerError> {
        let consume = async {
            channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
            let queue = ShortString::from(self.subscription.queue.as_str());
            let options = BasicConsumeOptions::default();
            Ok(channel.basic_consume(queue, "".into(), options, FieldTable::default()).await?)
        };
        within(self.settings.connect_timeout, "starting to consume", consume).await
    }

    async fn get(&self, channel: &Channel) -> Result<Option<Delivery>, BrokerError> {
        let queue = ShortString::from(self.subscription.queue.as_str());
        let get = async { Ok(channel.basic_get(queue, BasicGetOptions::default()).await?) };
        let got = within(self.settings.connect_timeout, "receiving a message", get).await?;
        Ok(got.map(|message| message.delivery))
    }

    /// Lets the prefetch of the next session grow after a prefetch of messages went well. Returns
    /// `false` if it is as large as it may be.
    fn widen(&mut self, session: &ConsumeSession) -> bool {
        let fits = session.bytes.messages_that_fit(self.subscription.prefetch);
        session.bytes.forget_largest();
        let before = self.prefetch;
        self.prefetch = before.saturating_mul(WIDER).min(fits).max(before);
        self.prefetch > before
    }

    fn handle(&self, session: &mut ConsumeSession, delivery: Delivery) {
        let tag = delivery.delivery_tag;
        session.acks.open(tag);
        let held = session.bytes.held(delivery.data.len());
        let (handler, message) = (self.handler.clone(), self.metrics.delivered());
        session.unacked.spawn(async move {
            let disposition = handler.handle(delivery.data, delivery.properties).await;
            message.processed();
            drop(held);
            (tag, disposition)
        });
    }
}
