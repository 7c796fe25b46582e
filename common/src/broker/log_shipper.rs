//! Shipping log lines, on a connection of their own: whatever becomes of it, the road has nothing to
//! do with it. What this module logs is not shipped.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, Event};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::connection::{STABLE, close, within};
use super::fault::Fault;
use super::log_pack::{PACK_LINES_MAX, Pack};
use super::log_route::LogRoute;
use super::settings::BrokerSettings;
use crate::runtime::{
    Backoff, CollectedLines, Connecting, Metrics, Origin, Shipped, Tasks, collect_lines,
};

/// How many packs may be without a confirm. While the broker is slower than that, lines wait in the
/// buffer, and past that they are dropped.
const UNCONFIRMED_MAX: usize = 8;
/// How long what is buffered may take to leave at the end.
const FAREWELL: Duration = Duration::from_millis(500);

/// Ships the lines of this process, if it was told where to.
#[derive(Debug)]
pub struct LogShipper {
    /// Its own, and not those of the process: whatever happens to it stops nothing else.
    tasks: Tasks,
    ended: CancellationToken,
}

impl LogShipper {
    /// Starts it, or does nothing where lines are not to be shipped.
    pub fn start(settings: &BrokerSettings, runtime: Handle, metrics: &Metrics) -> LogShipper {
        let (tasks, ended) = (Tasks::on(runtime), CancellationToken::new());
        let (route, buffer) = settings.logs.clone();
        let guard = ended.clone().drop_guard();
        if route.exchange.is_empty() {
            return LogShipper { tasks, ended };
        }
        let origin = Origin::of_process(settings.app);
        let shipped = metrics.telemetry.shipped.clone();
        let dropped = shipped.dropped.clone();
        let Some(lines) = collect_lines(&origin, buffer, dropped) else {
            return LogShipper { tasks, ended };
        };
        let shipping = Shipping {
            route,
            origin,
            confirm_timeout: settings.confirm_timeout,
            connecting: metrics.broker.connecting("logs"),
            shipped,
            stopping: tasks.stopping(),
            lines,
            waiting: VecDeque::new(),
            unconfirmed: BTreeMap::new(),
            next: 0,
        };
        tasks.spawn("log shipper", async move {
            let _guard = guard;
            shipping.supervise().await;
        });
        LogShipper { tasks, ended }
    }

    /// Lets what is buffered leave, in half a second at most.
    pub async fn finish(self) {
        self.tasks.stop();
        if tokio::time::timeout(FAREWELL, self.ended.cancelled()).await.is_err() {
            log::debug!("the last log lines were not shipped in time");
        }
        // It ends at its next await, whatever it waits for.
        self.tasks.end(FAREWELL).await.ok();
    }
}

struct Shipping {
    route: LogRoute,
    origin: Origin,
    confirm_timeout: Duration,
    connecting: Connecting,
    shipped: Shipped,
    stopping: CancellationToken,
    lines: CollectedLines,
    /// Taken out of the buffer and not in a pack yet: one pack's worth at most.
    waiting: VecDeque<String>,
    /// Sent again on the next connection; whoever stores them knows them by their numbers.
    unconfirmed: BTreeMap<u64, (Pack, Instant)>,
    /// The next line's number.
    next: u64,
}

impl Shipping {
    async fn supervise(mut self) {
        let mut backoff = Backoff::for_server();
        let mut complained = false;
        loop {
            let begun = Instant::now();
            let Err(fault) = self.session().await else { return };
            if self.stopping.is_cancelled() {
                return;
            }
            if begun.elapsed() > STABLE {
                backoff.reset();
                complained = false;
            }
            // Once for each outage: the road says the same of its own connections.
            let level = if complained { log::Level::Debug } else { log::Level::Warn };
            log::log!(level, broker:% = self.route.url; "log lines are not shipped: {fault}");
            complained = true;
            tokio::select! {
                () = backoff.wait() => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }

    /// Ok once the process stops and everything has left.
    async fn session(&mut self) -> Result<(), Fault> {
        let (connection, channel) = self.route.open("logs").await?;
        let confirms = async { Ok(channel.confirm_select(ConfirmSelectOptions::default()).await?) };
        within(self.route.connect_timeout, "turning confirms on", confirms).await?;
        self.connecting.connects.inc();
        self.connecting.up.set(1);
        let result = self.ship(&channel, std::pin::pin!(connection.events_listener())).await;
        self.connecting.up.set(0);
        close(&connection).await;
        result
    }

    async fn ship(
        &mut self,
        channel: &Channel,
        mut events: impl futures_util::Stream<Item = Event> + Unpin,
    ) -> Result<(), Fault> {
        let mut sending = FuturesUnordered::new();
        let (exchange, origin) = (self.route.queue(), self.origin.clone());
        let send = |pack: &Pack| {
            let properties = pack.properties(origin.service, &origin.instance);
            let (first, body, exchange) = (pack.first, pack.body.clone(), exchange.clone());
            async move {
                let options = BasicPublishOptions::default();
                let sent =
                    channel.basic_publish(exchange, "".into(), options, &body, properties).await?;
                Ok::<_, Fault>((first, sent.await?))
            }
        };
        for (pack, sent_at) in self.unconfirmed.values_mut() {
            *sent_at = Instant::now();
            sending.push(send(pack));
        }
        let (mut blocked, mut drained) = (false, false);
        loop {
            while let Some(pack) = self.next_pack(sending.len(), blocked) {
                sending.push(send(&pack));
                self.unconfirmed.insert(pack.first, (pack, Instant::now()));
            }
            if drained && sending.is_empty() && self.waiting.is_empty() {
                return Ok(());
            }
            let stopping = self.stopping.is_cancelled();
            let takes = self.waiting.len() < PACK_LINES_MAX && !blocked && !drained;
            let patience = self.patience(blocked);
            tokio::select! {
                biased;
                Some(event) = events.next() => match event {
                    Event::ConnectionBlocked(_) => blocked = true,
                    Event::ConnectionUnblocked => blocked = false,
                    Event::Error(error) => return Err(Fault::Amqp(error)),
                    Event::Connected | Event::SendFlow(_) | _ => {}
                },
                Some(confirmed) = sending.next() => self.confirmed(confirmed?),
                () = self.stopping.cancelled(), if !stopping => self.lines.close(),
                () = tokio::time::sleep(patience.unwrap_or_default()), if patience.is_some() => {
                    return Err(Fault::TimedOut("log lines were to be confirmed"));
                }
                lines = self.lines.next(PACK_LINES_MAX), if takes => {
                    drained = lines.is_empty();
                    self.waiting.extend(lines);
                }
            }
        }
    }

    /// While one pack is under way, what comes becomes the next. A second one sets out beside it only
    /// when it is full.
    fn next_pack(&mut self, under_way: usize, blocked: bool) -> Option<Pack> {
        if blocked || self.waiting.is_empty() || under_way >= UNCONFIRMED_MAX {
            return None;
        }
        let is_full = self.waiting.len() >= PACK_LINES_MAX;
        if under_way > 0 && !is_full {
            return None;
        }
        let pack = Pack::of(&mut self.waiting, self.next);
        self.next += pack.lines;
        Some(pack)
    }

    /// How long the oldest pack may still wait for its confirm.
    fn patience(&self, blocked: bool) -> Option<Duration> {
        let oldest = self.unconfirmed.values().map(|(_, sent_at)| *sent_at).min()?;
        (!blocked).then(|| self.confirm_timeout.saturating_sub(oldest.elapsed()))
    }

    fn confirmed(&mut self, (first, confirm): (u64, Confirmation)) {
        let Some((pack, _)) = self.unconfirmed.remove(&first) else { return };
        let nacked = matches!(confirm, Confirmation::Nack(_));
        let counter = if nacked { &self.shipped.dropped } else { &self.shipped.sent };
        counter.inc_by(pack.lines);
    }
}
