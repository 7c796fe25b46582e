use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};

use super::connection::within;
use super::fault::Fault;
use super::settings::{AmqpUrl, read_connect_timeout, read_url};
use super::topology::{explain, text, with};
use crate::runtime::{Env, Setting};

/// How much the queue holds; of more, the oldest messages go. Both sides declare the queue, and a
/// declaration with another number would be refused, so it is no setting. Who wants less can say so
/// with a policy (`max-length-bytes`), of which the broker takes the smaller number.
const QUEUE_BYTES_MAX: i64 = 64 * 1024 * 1024;

const EXCHANGE: Setting = Setting {
    name: "LOG_EXCHANGE",
    unit: "text",
    help: "The exchange for log lines, and the queue behind it; by convention logs. Without one, \
           none are shipped.",
};

/// The way of log lines over the broker: a fanout exchange, and a queue of the same name.
#[derive(Clone, Debug)]
pub(super) struct LogRoute {
    pub(super) url: AmqpUrl,
    pub(super) connect_timeout: Duration,
    /// Empty where lines are not shipped.
    pub(super) exchange: String,
    /// The program's name, shown in the broker's list of connections.
    pub(super) app: &'static str,
}

impl LogRoute {
    /// Reads all of it.
    pub(super) fn read(env: &mut Env, app: &'static str) -> LogRoute {
        let url = read_url(env);
        let exchange = LogRoute::read_exchange(env, "logs");
        LogRoute { url, connect_timeout: read_connect_timeout(env), exchange, app }
    }

    pub(super) fn read_exchange(env: &mut Env, default: &str) -> String {
        env.parsed(&EXCHANGE, (default.to_owned(), default), |text| {
            if text.len() <= 255 { Ok(text.to_owned()) } else { Err("at most 255 bytes".into()) }
        })
    }

    /// A new connection with exchange and queue declared, and a channel on it.
    pub(super) async fn open(&self, role: &'static str) -> Result<(Connection, Channel), Fault> {
        within(self.connect_timeout, "connecting", async {
            let name = LongString::from(format!("{} {role}", self.app));
            let properties = ConnectionProperties::default().with_connection_name(name);
            let connection = Connection::connect_uri(self.url.uri(), properties).await?;
            self.declare(&connection).await?;
            let channel = connection.create_channel().await?;
            Ok((connection, channel))
        })
        .await
    }

    /// A queue that takes everything and drops its oldest messages past its bound, so that a log
    /// store that is away can neither fill the broker's disk nor raise an alarm, which would block
    /// those who publish orders. Classic, because nobody waits for a majority of nodes to write a log
    /// line down, and a quorum queue would keep each of them in the log that the orders' queues share.
    async fn declare(&self, connection: &Connection) -> Result<(), Fault> {
        let channel = connection.create_channel().await?;
        let name = self.queue();
        let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
        let (kind, none) = (ExchangeKind::Fanout, FieldTable::default());
        let declared = channel.exchange_declare(name.clone(), kind, options, none).await;
        declared.map_err(|e| explain(&self.exchange, e))?;
        let table = with(FieldTable::default(), "x-queue-type", text("classic"));
        let table = with(table, "x-max-length-bytes", AMQPValue::LongLongInt(QUEUE_BYTES_MAX));
        let table = with(table, "x-overflow", text("drop-head"));
        let options = QueueDeclareOptions { durable: true, ..Default::default() };
        let declared = channel.queue_declare(name.clone(), options, table).await;
        declared.map_err(|e| explain(&self.exchange, e))?;
        let options = QueueBindOptions::default();
        let none = FieldTable::default();
        channel.queue_bind(name.clone(), name, "".into(), options, none).await?;
        Ok(channel.close(200, "declared".into()).await?)
    }

    /// The queue, whose name is the exchange's.
    pub(super) fn queue(&self) -> ShortString {
        ShortString::from(self.exchange.as_str())
    }
}
