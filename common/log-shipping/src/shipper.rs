//! Shipping of log lines, on a connection of its own, so that a failure does not affect orders. The
//! lines that this crate logs are not shipped.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use amqp::supervisor::{End, Session, supervise};
use amqp::{BrokerError, ConnectionMetrics, Opened, Status};
use amqp::{close, within};
use futures_util::stream::FuturesUnordered;
use futures_util::{Stream, StreamExt as _};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Channel, Confirmation, Event};
use service::Tasks;
use telemetry::metrics::Metrics;
use telemetry::{CollectedLines, Origin, collect_lines};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::{ShippedMetrics, ShippingMetrics};
use crate::pack::{PACK_LINES_MAX, Pack};
use crate::settings::ShippingSettings;

/// Maximum number of packs without a confirm. While that many are open, lines wait in the buffer;
/// past the buffer's bound they are dropped.
const UNCONFIRMED_MAX: usize = 8;
/// Time for the buffered lines to leave when the process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// The shipper of the log lines of this process.
#[derive(Debug)]
pub struct LogShipper {
    /// Tasks of its own: a panic in the shipper does not stop the process.
    tasks: Tasks,
    ended: CancellationToken,
}

impl LogShipper {
    /// Starts shipping, or does nothing if no exchange is set.
    pub fn start(settings: &ShippingSettings, runtime: Handle, metrics: &Metrics) -> LogShipper {
        let (tasks, ended) = (Tasks::on(runtime), CancellationToken::new());
        let guard = ended.clone().drop_guard();
        // Exposed without an exchange as well, so that dashboards find them.
        let shipped = metrics.get::<ShippingMetrics>().lines;
        if settings.route.exchange.is_empty() {
            return LogShipper { tasks, ended };
        }
        let origin = Origin::of_process(settings.connection.app);
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

    /// Ships the buffered lines, for half a second at most, and ends.
    pub async fn finish(self) {
        self.tasks.stop();
        if tokio::time::timeout(FLUSH_TIMEOUT, self.ended.cancelled()).await.is_err() {
            log::debug!("some of the last log lines were not shipped in time");
        }
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
    /// Lines taken out of the buffer and not packed yet: fewer than two packs' worth.
    waiting: VecDeque<String>,
    /// Packs without a confirm, by the number of their first line. The next connection sends them
    /// again; the log store recognises repeated lines by their numbers.
    unconfirmed: BTreeMap<u64, (Pack, Instant)>,
    /// The number of the next line.
    next: u64,
}

impl Session for Shipping {
    /// Ends after the stop, once all lines have left or the connection is lost.
    async fn run(&mut self, status: &watch::Sender<Status>) -> Result<End, BrokerError> {
        let result = self.session(status).await;
        // The process ends, so there is no time for another connection.
        if self.stopping.is_cancelled() { Ok(End::Stop) } else { result }
    }

    /// Logs once per outage: the other connections report the same.
    fn interrupted(&self, error: &BrokerError, again: bool) {
        let level = if again { log::Level::Debug } else { log::Level::Warn };
        let brokers = &self.settings.connection.brokers;
        log::log!(level, broker:% = brokers; "log lines are not shipped: {error}");
    }
}

impl Shipping {
    async fn session(&mut self, status: &watch::Sender<Status>) -> Result<End, BrokerError> {
        let Opened { connection, channel, place } =
            self.settings.connection.open("logs", &self.settings.route).await?;
        let confirms = async { Ok(channel.confirm_select(ConfirmSelectOptions::default()).await?) };
        within(self.settings.connection.connect_timeout, "turning confirms on", confirms).await?;
        self.connection.connects.inc();
        self.connection.up.set(1);
        status.send_replace(Status::Up);
        let result = self.ship(&channel, std::pin::pin!(connection.events_listener())).await;
        self.connection.up.set(0);
        if result.is_err() {
            place.lost();
        }
        close(&connection).await;
        result.map(|()| End::Stop)
    }

    /// Sends packs and counts their confirms, until all lines have left after the stop.
    async fn ship(
        &mut self,
        channel: &Channel,
        mut events: impl Stream<Item = Event> + Unpin,
    ) -> Result<(), BrokerError> {
        let exchange = ShortString::from(self.settings.route.exchange.as_str());
        let origin = self.origin.clone();
        let send = |pack: &Pack| publish(channel, exchange.clone(), &origin, pack);
        let mut sending = FuturesUnordered::new();
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
            let has_room = self.waiting.len() < PACK_LINES_MAX && !blocked && !drained;
            let timeout = self.confirm_timeout(blocked);
            tokio::select! {
                biased;
                Some(event) = events.next() => blocked = is_blocked(event, blocked)?,
                Some(answer) = sending.next() => {
                    let (first, confirm) = answer?;
                    self.confirmed(first, &confirm);
                }
                () = self.stopping.cancelled(), if !stopping => self.lines.close(),
                () = tokio::time::sleep(timeout.unwrap_or_default()), if timeout.is_some() => {
                    return Err(BrokerError::TimedOut("log lines waited for their confirm"));
                }
                lines = self.lines.next(PACK_LINES_MAX), if has_room => {
                    drained = lines.is_empty();
                    self.waiting.extend(lines);
                }
            }
        }
    }

    /// The next pack to send, if one may be sent now. While one pack is unconfirmed, arriving lines
    /// form the next pack, which is sent beside the first one only if it is full.
    fn next_pack(&mut self, unconfirmed: usize, blocked: bool) -> Option<Pack> {
        if blocked || self.waiting.is_empty() || unconfirmed >= UNCONFIRMED_MAX {
            return None;
        }
        if unconfirmed > 0 && self.waiting.len() < PACK_LINES_MAX {
            return None;
        }
        let pack = Pack::take_from(&mut self.waiting, self.next);
        self.next += pack.lines;
        Some(pack)
    }

    /// Time left for the confirm of the oldest pack; `None` while the broker blocks publishers.
    fn confirm_timeout(&self, blocked: bool) -> Option<Duration> {
        let oldest = self.unconfirmed.values().map(|(_, sent_at)| *sent_at).min()?;
        (!blocked).then(|| self.settings.confirm_timeout.saturating_sub(oldest.elapsed()))
    }

    /// Counts the pack that begins with line `first` by the broker's answer.
    fn confirmed(&mut self, first: u64, confirm: &Confirmation) {
        let Some((pack, _)) = self.unconfirmed.remove(&first) else { return };
        let nacked = matches!(confirm, Confirmation::Nack(_));
        let counter = if nacked { &self.shipped.dropped } else { &self.shipped.sent };
        counter.inc_by(pack.lines);
    }
}

/// Publishes `pack`. Returns the number of its first line and the broker's answer.
fn publish<'a>(
    channel: &'a Channel,
    exchange: ShortString,
    origin: &Origin,
    pack: &Pack,
) -> impl Future<Output = Result<(u64, Confirmation), BrokerError>> + use<'a> {
    let (first, body) = (pack.first, pack.body.clone());
    let properties = pack.properties(origin.service, &origin.instance);
    async move {
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish(exchange, "".into(), options, &body, properties).await?;
        Ok((first, sent.await?))
    }
}

/// Returns true if the broker blocks publishers after `event`.
///
/// # Errors
/// If the event is the end of the connection.
fn is_blocked(event: Event, blocked: bool) -> Result<bool, BrokerError> {
    match event {
        Event::ConnectionBlocked(_) => Ok(true),
        Event::ConnectionUnblocked => Ok(false),
        Event::Error(error) => Err(BrokerError::Amqp(error)),
        Event::Connected | Event::SendFlow(_) | _ => Ok(blocked),
    }
}
