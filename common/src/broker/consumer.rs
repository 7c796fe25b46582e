//! Consuming: every delivery is handled, and only what is done, or has left as a confirmed copy,
//! is acked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection};
use tokio::sync::watch;

use super::connection::{GOODBYE, STABLE, close, within};
use super::desk::{Desk, Handler};
use super::fault::Fault;
use super::publisher::Publisher;
use super::session::Session;
use super::settings::BrokerSettings;
use super::status::Status;
use crate::runtime::{Backoff, Connecting, Metrics, Tasks};

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
        let numbers = metrics.broker.connecting("consume");
        let (seen, up) = (status.clone(), numbers.up.clone());
        metrics.at_scrape(move || {
            up.set((*seen.borrow() == Status::Up).into());
        });
        let consuming = metrics.messages.consuming(&broker.receive.name);
        let queue = broker.receive.clone();
        let desk = Desk { handler, queue, publisher, numbers: consuming };
        let worker =
            Worker { broker, drain, desk: Arc::new(desk), report, tasks: tasks.clone(), numbers };
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

/// How a session ended that no message can have ended.
enum End {
    /// The process stops.
    Stop,
    /// What was taken with care went well: more may be taken at a time.
    Widen,
    /// The broker is away, or not ready for us: no message had a part in it.
    NotBegun(Fault),
}

struct Worker<H> {
    broker: BrokerSettings,
    drain: Duration,
    desk: Arc<Desk<H>>,
    report: watch::Sender<Status>,
    tasks: Tasks,
    numbers: Connecting,
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
                Ok(End::NotBegun(fault)) => fault,
                Err(fault) => {
                    if fault.may_be_a_message() {
                        prefetch = 1;
                        backoff.reset();
                    }
                    fault
                }
            };
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
        let begun = tokio::select! {
            begun = self.begin(prefetch) => begun,
            () = stopping.cancelled() => return Ok(End::Stop),
        };
        let (connection, channel, mut deliveries) = match begun {
            Ok(begun) => begun,
            Err(fault) => return Ok(End::NotBegun(fault)),
        };
        self.numbers.connects.inc();
        log::info!(queue = self.broker.receive.name, prefetch; "consuming");
        self.report.send_replace(Status::Up);
        let tag = deliveries.tag();
        let mut session = Session::on(channel);
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
        let in_hand = self.desk.numbers.arrived();
        let handled = async move {
            let fate = desk.handle(delivery.data, delivery.properties).await;
            in_hand.ended();
            (tag, fate)
        };
        session.in_hand.spawn(handled);
    }
}
