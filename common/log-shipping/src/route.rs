use amqp::{BrokerError, Declare, Declaring};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ExchangeKind};
use service::{Env, Setting};

/// Maximum size of the queue in bytes; past it the broker drops the oldest messages. Both sides
/// declare the queue, and the broker refuses a declaration with another number, so this is not a
/// setting. A policy (`max-length-bytes`) can lower the bound: the broker applies the smaller
/// number.
const QUEUE_BYTES_MAX: i64 = 64 * 1024 * 1024;

const EXCHANGE: Setting = Setting {
    name: "LOG_EXCHANGE",
    unit: "text",
    help: "Exchange for log lines and the queue bound to it; by convention logs. Without a value no \
           lines are shipped.",
};

/// Reads the name of the exchange; empty if log lines are not shipped.
pub(crate) fn read_exchange(env: &mut Env, default: &str) -> String {
    env.parsed(EXCHANGE.with_default(default.to_owned(), default), |text| {
        if text.len() <= 255 { Ok(text.to_owned()) } else { Err("at most 255 bytes".into()) }
    })
}

/// A fanout exchange for log lines, and a queue of the same name bound to it.
///
/// The queue drops its oldest messages past its bound, so that an unavailable log store can neither
/// fill the broker's disk nor raise an alarm, which would block the publishers of orders. It is a
/// classic queue: a log line need not wait for a majority of nodes, and a quorum queue would keep
/// each line in the log that the queues of orders share.
#[derive(Clone, Debug)]
pub struct LogRoute {
    /// The name of the exchange and of the queue; empty if log lines are not shipped.
    pub(crate) exchange: String,
}

impl Declare for LogRoute {
    async fn declare(&self, connection: &Connection) -> Result<(), BrokerError> {
        let mut declaring = Declaring::on(connection).await?;
        declaring.exchange(&self.exchange, ExchangeKind::Fanout).await?;
        let mut table = FieldTable::default();
        table.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
        table.insert("x-max-length-bytes".into(), AMQPValue::LongLongInt(QUEUE_BYTES_MAX));
        table.insert("x-overflow".into(), AMQPValue::LongString("drop-head".into()));
        declaring.queue(&self.exchange, table).await?;
        declaring.bind(&self.exchange, &self.exchange, "").await?;
        declaring.end().await
    }
}
