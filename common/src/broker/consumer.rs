//! Consuming: every delivery is handled, and only what is done, or has left as a confirmed copy,
//! is acked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions};
use lapin::options::{BasicNackOptions, BasicQosOptions};
use lapin::types::{DeliveryTag, FieldTable, ShortString};
use lapin::{Channel, Connection};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::acks::Acks;
use super::connection::{GOODBYE, STABLE, close, within};
use super::desk::{Desk, Fate, Handler};
use super::fault::Fault;
use super::publisher::Publisher;
use super::settings::BrokerSettings;
use super::status::Status;
use crate::runtime::{Backoff, CrashPoint, Metrics, RoleLabels, Tasks, crash_point};

/// A supervised consumer: it connects, consumes and rebuilds until the stop.
#[derive(Clone, Debug)]
pub struct Consumer {
    status: watch::Receiver<Status>,
}

impl Consumer {
    /// Starts consuming what `broker` names to receive from, all messages in hand at the same
    /// time. At the stop it cancels, lets the work in hand end within `drain`, and gives the
    /// rest back.
    pub fn start<H: Handler>(
        (broker, drain): (BrokerSettings, Duration),
        publisher: Publisher,
        handler: H,
        (tasks, metrics): (&Tasks, &Metrics),
    ) -> Consumer {
        let away = Status::Away("not connected yet".to_owned());
        let (report, status) = watch::channel(away);
        let desk =
            Desk { handler, queue: broker.receive.clone(), publisher, metrics: metrics.clone() };
        let worker = Worker {
            broker,
            drain,
            desk: Arc::new(desk),
            report,
            tasks: tasks.clone(),
            metrics: metrics.clone(),
        };
        tasks.spawn("consumer", worker.supervise());
        Consumer { status }
    }

    /// How the consumer is at the moment.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Waits until the consumer has ended for good: after the stop that is the drain time and a
    /// moment to say goodbye, and no longer.
    pub async fn ended(&mut self, drain: Duration) {
        let ended = async { while self.status.changed().await.is_ok() {} };
        if tokio::time::timeout(drain + 3 * GOODBYE, ended).await.is_err() {
            log::warn!("the consumer does not end; what it has in hand goes back by itself");
        }
    }
}

/// By how much more is taken at a time once as much as that has gone well.
const WIDER: u16 = 4;

/// Why a session ended that was not interrupted.
enum End {
    /// The process stops.
    Stop,
    /// What was taken with care went well: more may be taken at a time.
    Widen,
}

struct Worker<H> {
    broker: BrokerSettings,
    drain: Duration,
    desk: Arc<Desk<H>>,
    report: watch::Sender<Status>,
    tasks: Tasks,
    metrics: Metrics,
}

/// One channel's life: what is open on it and what is being worked on.
struct Session {
    channel: Channel,
    acks: Acks,
    in_hand: JoinSet<(DeliveryTag, Fate)>,
}

impl<H: Handler> Worker<H> {
    async fn supervise(self) {
        let stopping = self.tasks.stopping();
        let mut backoff = Backoff::for_server();
        let mut prefetch = self.broker.prefetch;
        while !stopping.is_cancelled() {
            let begun = Instant::now();
            let fault = match self.session(prefetch).await {
                Ok(End::Stop) => break,
                Ok(End::Widen) => {
                    prefetch = prefetch.saturating_mul(WIDER).min(self.broker.prefetch);
                    continue;
                }
                Err(fault) => fault,
            };
            if fault.may_be_a_message() {
                prefetch = 1;
                backoff.reset();
            }
            log::warn!(queue = self.broker.receive.name; "consuming is interrupted: {fault}");
            self.report.send_replace(Status::Away(fault.to_string()));
            if begun.elapsed() > STABLE {
                backoff.reset();
            }
            tokio::select! {
                () = backoff.wait() => {}
                () = stopping.cancelled() => {}
            }
        }
        self.report.send_replace(Status::Away("stopped".to_owned()));
    }

    /// Ok at the stop; everything else is a reason to begin again.
    async fn session(&self, prefetch: u16) -> Result<End, Fault> {
        let stopping = self.tasks.stopping();
        let (connection, channel, mut deliveries) = tokio::select! {
            begun = self.begin(prefetch) => begun?,
            () = stopping.cancelled() => return Ok(End::Stop),
        };
        self.metrics.connects.get_or_create(&RoleLabels { role: "consume" }).inc();
        log::info!(queue = self.broker.receive.name, prefetch; "consuming");
        self.report.send_replace(Status::Up);
        let tag = deliveries.tag();
        let mut session = Session { channel, acks: Acks::default(), in_hand: JoinSet::new() };
        let mut acked = 0;
        let end = loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => break Ok(End::Stop),
                Some(first) = session.in_hand.join_next() => {
                    match session.ack_finished(first).await {
                        Ok(count) => acked += count,
                        Err(fault) => break Err(fault),
                    }
                    if prefetch < self.broker.prefetch && acked >= usize::from(prefetch) {
                        break Ok(End::Widen);
                    }
                }
                delivery = deliveries.next() => match delivery {
                    Some(Ok(delivery)) => self.take(&mut session, delivery),
                    Some(Err(error)) => break Err(Fault::Amqp(error)),
                    None => break Err(Fault::ConsumerEnded(self.broker.receive.name.clone())),
                },
            }
        };
        let result = match end {
            Err(fault) => Err(fault),
            Ok(end) => session.drain(tag, self.drain).await.map(|()| end),
        };
        close(&connection).await;
        result
    }

    async fn begin(&self, prefetch: u16) -> Result<(Connection, Channel, lapin::Consumer), Fault> {
        let (connection, channel) = self.broker.open("consume").await?;
        let consume = async {
            channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
            let queue = ShortString::from(self.broker.receive.name.as_str());
            let options = BasicConsumeOptions::default();
            Ok(channel.basic_consume(queue, "".into(), options, FieldTable::default()).await?)
        };
        let deliveries =
            within(self.broker.connect_timeout, "starting to consume", consume).await?;
        Ok((connection, channel, deliveries))
    }

    fn take(&self, session: &mut Session, delivery: Delivery) {
        let tag = delivery.delivery_tag;
        session.acks.open(tag);
        let desk = self.desk.clone();
        let handled = async move { (tag, desk.handle(delivery.data, delivery.properties).await) };
        session.in_hand.spawn(handled);
    }
}

impl Session {
    /// Answers what has ended: `first`, and whatever else ended meanwhile.
    async fn ack_finished(
        &mut self,
        first: Result<(DeliveryTag, Fate), tokio::task::JoinError>,
    ) -> Result<usize, Fault> {
        let mut ended = vec![first];
        while let Some(next) = self.in_hand.try_join_next() {
            ended.push(next);
        }
        // A task that panicked has lost its tag: with the session its delivery goes back.
        let ended: Result<Vec<(DeliveryTag, Fate)>, _> = ended.into_iter().collect();
        let ended = ended.map_err(|_| Fault::GivenUp("a reader's task panicked"))?;
        let (over, back): (Vec<_>, _) = ended.into_iter().partition(|(_, fate)| *fate == Fate::Ack);
        // First of all: what has been given back, an ack of `multiple` no longer means.
        for (tag, _) in &back {
            let options = BasicNackOptions { multiple: false, requeue: true };
            self.channel.basic_nack(*tag, options).await?;
            self.acks.forget(*tag);
        }
        let tags: Vec<DeliveryTag> = over.into_iter().map(|(tag, _)| tag).collect();
        let plan = self.acks.done(&tags);
        if let Some(tag) = plan.up_to {
            self.channel.basic_ack(tag, BasicAckOptions { multiple: true }).await?;
        }
        let one = BasicAckOptions::default();
        let acks = plan.single.into_iter().map(|tag| self.channel.basic_ack(tag, one));
        join_all(acks).await.into_iter().collect::<Result<(), _>>()?;
        crash_point::reach_all(&tags, |_| CrashPoint::Acked);
        Ok(tags.len())
    }

    /// Takes nothing new, ends what is in hand, gives back what did not end in time. A broker that
    /// does not answer is not waited for: it gives everything back by itself.
    async fn drain(&mut self, consumer: ShortString, patience: Duration) -> Result<(), Fault> {
        let finish = async {
            self.channel.basic_cancel(consumer, BasicCancelOptions::default()).await?;
            while let Some(first) = self.in_hand.join_next().await {
                self.ack_finished(first).await?;
            }
            Ok::<(), Fault>(())
        };
        if let Ok(ended) = tokio::time::timeout(patience, finish).await {
            ended?;
        } else {
            log::warn!(left = self.in_hand.len(); "the drain time is over; the rest goes back");
        }
        crash_point::reach(CrashPoint::BackBegun);
        // Tag 0 with `multiple` means every open delivery of the channel (AMQP 0-9-1, basic.nack).
        let all = BasicNackOptions { multiple: true, requeue: true };
        within(GOODBYE, "giving back", async { Ok(self.channel.basic_nack(0, all).await?) })
            .await?;
        crash_point::reach(CrashPoint::BackGiven);
        Ok(())
    }
}
