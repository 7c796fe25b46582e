//! Reading log lines: every message is handed to a reader, and acked once that has done with it.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection};
use tokio::sync::watch;

use super::connection::{GOODBYE, STABLE, close, within};
use super::desk::Fate;
use super::fault::Fault;
use super::log_pack::LogPack;
use super::log_route::LogRoute;
use super::session::Session;
use super::status::Status;
use crate::runtime::{Backoff, Connecting, Env, Metrics, Tasks};

/// How many messages are in hand at the same time. With packs of 64 KiB at most this is 2 MiB, which
/// is all that waits here while the store is away; the rest waits in the queue.
const PREFETCH: u16 = 32;

/// Where log lines are read from.
#[derive(Clone, Debug)]
pub struct LogFeedSettings(LogRoute);

impl LogFeedSettings {
    /// Reads them.
    pub fn read(env: &mut Env, app: &'static str) -> LogFeedSettings {
        let mut route = LogRoute::read(env, app);
        // The queue has no limit of deliveries: a message whose headers do not fit into a frame of
        // ours would end one connection after the other, for ever.
        route.url = route.url.with_the_largest_frames();
        LogFeedSettings(route)
    }
}

/// Does something with log lines.
pub trait LogReader: Send + Sync + 'static {
    /// Comes back once what is to be kept of the lines is durable. It may take as long as it likes,
    /// and it may be dropped at any await: the lines then come again.
    fn read(&self, pack: LogPack) -> impl Future<Output = ()> + Send;
}

/// A supervised reader of the queue: it connects, reads and rebuilds until the stop.
#[derive(Clone, Debug)]
pub struct LogFeed {
    status: watch::Receiver<Status>,
}

impl LogFeed {
    /// Starts reading. At the stop it takes nothing new, lets what is in hand end within `drain`, and
    /// gives the rest back.
    pub fn start<R: LogReader>(
        (settings, drain): (LogFeedSettings, Duration),
        reader: R,
        (tasks, metrics): (&Tasks, &Metrics),
    ) -> LogFeed {
        let (report, status) = watch::channel(Status::Away("not connected yet".to_owned()));
        let (route, reader) = (settings.0, Arc::new(reader));
        let connecting = metrics.broker.connecting("logs");
        let worker = Worker { route, drain, reader, report, tasks: tasks.clone(), connecting };
        tasks.spawn("log feed", worker.supervise());
        LogFeed { status }
    }

    /// How it is at the moment.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Waits until it has ended for good: after the stop that is the drain time and a moment to say
    /// goodbye, and no longer.
    pub async fn ended(&mut self, drain: Duration) {
        let ended = async { while self.status.changed().await.is_ok() {} };
        if tokio::time::timeout(drain + 3 * GOODBYE, ended).await.is_err() {
            log::warn!("the reader of log lines does not end; what it has in hand goes back");
        }
    }
}

struct Worker<R> {
    route: LogRoute,
    drain: Duration,
    reader: Arc<R>,
    report: watch::Sender<Status>,
    tasks: Tasks,
    connecting: Connecting,
}

impl<R: LogReader> Worker<R> {
    async fn supervise(self) {
        let stopping = self.tasks.stopping();
        let mut backoff = Backoff::for_server();
        while !stopping.is_cancelled() {
            let begun = Instant::now();
            let Err(fault) = self.session().await else { break };
            log::warn!(queue = self.route.exchange; "reading log lines is interrupted: {fault}");
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
    async fn session(&self) -> Result<(), Fault> {
        let stopping = self.tasks.stopping();
        let (connection, channel, mut deliveries) = tokio::select! {
            begun = self.begin() => begun?,
            () = stopping.cancelled() => return Ok(()),
        };
        self.connecting.connects.inc();
        self.connecting.up.set(1);
        log::info!(queue = self.route.exchange; "reading log lines");
        self.report.send_replace(Status::Up);
        let tag = deliveries.tag();
        let mut session = Session::on(channel);
        let end = loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => break Ok(()),
                Some(first) = session.in_hand.join_next() => {
                    if let Err(fault) = session.ack_finished(first).await {
                        break Err(fault);
                    }
                }
                delivery = deliveries.next() => match delivery {
                    Some(Ok(delivery)) => {
                        let tag = delivery.delivery_tag;
                        session.acks.open(tag);
                        let pack = LogPack::of(delivery.data, &delivery.properties);
                        let reader = self.reader.clone();
                        session.in_hand.spawn(async move {
                            reader.read(pack).await;
                            (tag, Fate::Ack)
                        });
                    }
                    Some(Err(error)) => break Err(Fault::Amqp(error)),
                    None => break Err(Fault::ConsumerEnded(self.route.exchange.clone())),
                },
            }
        };
        self.connecting.up.set(0);
        let result = match end {
            Ok(()) => session.drain(tag, self.drain).await,
            fault => fault,
        };
        close(&connection).await;
        result
    }

    async fn begin(&self) -> Result<(Connection, Channel, lapin::Consumer), Fault> {
        let (connection, channel) = self.route.open("reader").await?;
        let consume = async {
            channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
            let options = BasicConsumeOptions::default();
            let (queue, none) = (self.route.queue(), FieldTable::default());
            Ok(channel.basic_consume(queue, "".into(), options, none).await?)
        };
        let deliveries = within(self.route.connect_timeout, "starting to consume", consume).await?;
        Ok((connection, channel, deliveries))
    }
}
