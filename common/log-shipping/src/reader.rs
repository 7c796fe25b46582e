//! Reading log lines: every message goes to a reader, and is acked once the reader returns.

use std::future::Future;

use amqp::{ConnectionSettings, Consumer, DeliveryHandler, Disposition, Subscription};
use lapin::BasicProperties;
use service::Env;

use crate::pack::LogPack;
use crate::route::{LogRoute, read_exchange};

/// Largest number of unacked messages. With packs of 64 KiB at most these are 2 MiB, which is all
/// that waits here while the store is away; the rest waits in the queue.
const PREFETCH: u16 = 32;

/// The connection and the queue of log lines.
#[derive(Clone, Debug)]
pub struct ReaderSettings {
    /// The connection. Its frames are as large as the broker allows: the queue has no delivery
    /// limit, so a message whose headers do not fit into a frame would end each new connection.
    pub connection: ConnectionSettings,
    route: LogRoute,
}

impl ReaderSettings {
    /// Reads the settings; `app` names the program to the broker.
    pub fn read(env: &mut Env, app: &'static str) -> ReaderSettings {
        let connection = ConnectionSettings::read(env, app).with_the_largest_frames();
        ReaderSettings { connection, route: LogRoute { exchange: read_exchange(env, "logs") } }
    }

    /// The exchange and queue, for [`Consumer::new`].
    pub fn route(&self) -> LogRoute {
        self.route.clone()
    }
}

/// The reader of log lines.
pub trait LogReader: Send + Sync + 'static {
    /// Stores the lines of `pack`, and returns once the stored lines are durable. The call may take
    /// any time, and may be dropped at any await: the broker then delivers the lines again.
    fn read(&self, pack: LogPack) -> impl Future<Output = ()> + Send;
}

struct Reading<R>(R);

impl<R: LogReader> DeliveryHandler for Reading<R> {
    async fn handle(&self, body: Vec<u8>, properties: BasicProperties) -> Disposition {
        self.0.read(LogPack::new(body, &properties)).await;
        Disposition::Ack
    }
}

/// Adds the queue of log lines to `consumer`.
#[must_use]
pub fn subscribe<'a, R: LogReader>(
    consumer: Consumer<'a, LogRoute>,
    settings: &ReaderSettings,
    reader: R,
) -> Consumer<'a, LogRoute> {
    let queue = settings.route.exchange.clone();
    consumer.queue(Subscription { queue, role: "logs", prefetch: PREFETCH }, Reading(reader))
}
