//! Shipping log lines, on a connection of its own: a failure of it does not affect orders. The lines
//! that this module logs are not shipped.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use amqp::supervisor::{End, Session, supervise};
use amqp::{BrokerError, BrokerSettings, ConnectionMetrics, ConnectionSettings, Status};
use amqp::{close, within};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Channel, Confirmation, Event};
use service::{Env, Setting, Tasks};
use telemetry::metrics::Metrics;
use telemetry::{CollectedLines, Origin, collect_lines};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::{ShippedMetrics, ShippingMetrics};
use crate::pack::{PACK_LINES_MAX, Pack};
use crate::route::{LogRoute, read_exchange};

/// How many packs may be without a confirm. While the broker is slower than that, lines wait in the
/// buffer, and past that they are dropped.
const UNCONFIRMED_MAX: usize = 8;
/// How long what is buffered may take to leave at the end.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

const BUFFER: Setting = Setting {
    name: "LOG_SHIP_BUFFER",
    unit: "lines",
    help: "Log lines that may wait to be shipped, 16 MiB at most; further ones are dropped and \
           counted.",
};

/// Where log lines are shipped to, and how many may wait.
#[derive(Clone, Debug)]
pub struct ShippingSettings {
    connection: ConnectionSettings,
    confirm_timeout: Duration,
    route: LogRoute,
    buffer: usize,
}

impl ShippingSettings {
    /// Reads them. The exchange must not have a name that `broker` uses.
    pub fn read(env: &mut Env, broker: &BrokerSettings) -> ShippingSettings {
        let exchange = read_exchange(env, "");
        if broker.reserved_names().contains(&exchange) {
            env.refuse(format!(
                "LOG_EXCHANGE={exchange}: must be a name of its own: a queue of log lines with this \
                 name would collide with the queues of orders"
            ));
        }
        ShippingSettings {
            connection: broker.connection.clone(),
            confirm_timeout: broker.confirm_timeout,
            route: LogRoute { exchange },
            buffer: env.number(&BUFFER, 10_000, 1..=1_000_000),
        }
    }
}

/// The shipper of this process's log lines.
#[derive(Debug)]
pub struct LogShipper {
    /// Tasks of its own: a panic in the shipper does not stop the process.
    tasks: Tasks,
    ended: CancellationToken,
}

impl LogShipper {
    /// Starts shipping, or does nothing where log lines are not shipped.
    pub fn start(settings: &ShippingSettings, runtime: Handle, metrics: &Metrics) -> LogShipper {
        let (tasks, ended) = (Tasks::on(runtime), CancellationToken::new());
        let guard = ended.clone().drop_guard();
        if settings.route.exchange.is_empty() {
            return LogShipper { tasks, ended };
        }
        let origin = Origin::of_process(settings.connection.app);
        let shipped = metrics.get::<ShippingMetrics>().lines;
        let Some(lines) = collect_lines(&origin, settings.buffer, shipped.dropped.clone()) else {
            return LogShipper { tasks, ended };
        };
        let shipping = Shipping {
            settings: settings.clone(),
            origin,
            connection: ConnectionMetrics::new(metrics, "logs"),
            shipped,
            stopping: tasks.stopping(),
            lines,
            waiting: VecDeque::new(),
            unconfirmed: BTreeMap::new(),
            next: 0,
        };
        let (status, never) = (watch::Sender::new(Status::starting()), CancellationToken::new());
        tasks.spawn("log shipper", async move {
            let _guard = guard;
            supervise(shipping, status, never).await;
        });
        LogShipper { tasks, ended }
    }

    /// Lets the buffered lines leave, within half a second.
    pub async fn finish(self) {
        self.tasks.stop();
        if tokio::time::timeout(FLUSH_TIMEOUT, self.ended.cancelled()).await.is_err() {
            log::debug!("the last log lines were not shipped in time");
        }
        // The task ends at its next await.
        self.tasks.abort_after(FLUSH_TIMEOUT).await.ok();
    }
}

struct Shipping {
    settings: ShippingSettings,
    origin: Origin,
    connection: ConnectionMetrics,
    shipped: ShippedMetrics,
    stopping: CancellationToken,
    lines: CollectedLines,
    /// Lines out of the buffer that are not in a pack yet: one pack's worth at most.
    waiting: VecDeque<String>,
    /// Packs without a confirm. They are sent again on the next connection; the log store recognises
    /// them by their numbers.
    unconfirmed: BTreeMap<u64, (Pack, Instant)>,
    /// The number of the next line.
    next: u64,
}

impl Session for Shipping {
    /// Ends once the process stops and all lines have left, or cannot leave.
    async fn run(&mut self, status: &watch::Sender<Status>) -> Result<End, BrokerError> {
        let result = self.session(status).await;
        // The process ends: there is no time for another connection.
        if self.stopping.is_cancelled() { Ok(End::Stop) } else { result }
    }

    /// Logs once per outage: the other connections report the same.
    fn interrupted(&self, error: &BrokerError, again: bool) {
        let level = if again { log::Level::Debug } else { log::Level::Warn };
        let url = &self.settings.connection.url;
        log::log!(level, broker:% = url; "log lines are not shipped: {error}");
    }
}

impl Shipping {
    async fn session(&mut self, status: &watch::Sender<Status>) -> Result<End, BrokerError> {
        let (connection, channel) =
            self.settings.connection.open("logs", &self.settings.route).await?;
        let confirms = async { Ok(channel.confirm_select(ConfirmSelectOptions::default()).await?) };
        within(self.settings.connection.connect_timeout, "turning confirms on", confirms).await?;
        self.connection.connects.inc();
        self.connection.up.set(1);
        status.send_replace(Status::Up);
        let result = self.ship(&channel, std::pin::pin!(connection.events_listener())).await;
        self.connection.up.set(0);
        close(&connection).await;
        result.map(|()| End::Stop)
    }

    async fn ship(
        &mut self,
        channel: &Channel,
        mut events: impl futures_util::Stream<Item = Event> + Unpin,
    ) -> Result<(), BrokerError> {
        let mut sending = FuturesUnordered::new();
        let (exchange, origin) =
            (ShortString::from(self.settings.route.exchange.as_str()), self.origin.clone());
        let send = |pack: &Pack| {
            let properties = pack.properties(origin.service, &origin.instance);
            let (first, body, exchange) = (pack.first, pack.body.clone(), exchange.clone());
            async move {
                let options = BasicPublishOptions::default();
                let sent =
                    channel.basic_publish(exchange, "".into(), options, &body, properties).await?;
                Ok::<_, BrokerError>((first, sent.await?))
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
            let timeout = self.confirm_timeout(blocked);
            tokio::select! {
                biased;
                Some(event) = events.next() => match event {
                    Event::ConnectionBlocked(_) => blocked = true,
                    Event::ConnectionUnblocked => blocked = false,
                    Event::Error(error) => return Err(BrokerError::Amqp(error)),
                    Event::Connected | Event::SendFlow(_) | _ => {}
                },
                Some(confirmed) = sending.next() => self.confirmed(confirmed?),
                () = self.stopping.cancelled(), if !stopping => self.lines.close(),
                () = tokio::time::sleep(timeout.unwrap_or_default()), if timeout.is_some() => {
                    return Err(BrokerError::TimedOut("log lines were to be confirmed"));
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
    fn confirm_timeout(&self, blocked: bool) -> Option<Duration> {
        let oldest = self.unconfirmed.values().map(|(_, sent_at)| *sent_at).min()?;
        (!blocked).then(|| self.settings.confirm_timeout.saturating_sub(oldest.elapsed()))
    }

    fn confirmed(&mut self, (first, confirm): (u64, Confirmation)) {
        let Some((pack, _)) = self.unconfirmed.remove(&first) else { return };
        let nacked = matches!(confirm, Confirmation::Nack(_));
        let counter = if nacked { &self.shipped.dropped } else { &self.shipped.sent };
        counter.inc_by(pack.lines);
    }
}
