use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Connection, ExchangeKind};

use crate::error::BrokerError;

/// A dead letter is looked at by people and tools as often as they like. RabbitMQ 4 would drop
/// it at the 20th look without a limit, and 3.x does not know "no limit".
const DEAD_DELIVERY_LIMIT: u32 = 1_000_000;

/// Exchanges and queues that are declared on every new connection.
pub trait Declare: Clone + Send + Sync + 'static {
    /// Declares all of them; one that exists with the same properties stays as it is.
    ///
    /// # Errors
    /// [`BrokerError::Mismatch`] if one exists with other properties.
    fn declare(
        &self,
        connection: &Connection,
    ) -> impl Future<Output = Result<(), BrokerError>> + Send;
}

/// A queue of work, named as its routing key, with its dead-letter queue and its delay ladder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkQueue {
    /// Its name and routing key.
    pub name: String,
    /// How long a message waits before its next attempt; the last rung repeats. May be empty.
    pub retry_delays: Vec<Duration>,
}

impl WorkQueue {
    /// Where its dead letters lie.
    pub fn dead(&self) -> String {
        format!("{}.dead", self.name)
    }

    /// The rung for a message that was attempted `attempts` times, if there is a ladder.
    pub fn retry_queue(&self, attempts: u32) -> Option<String> {
        let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let delay = self.retry_delays.get(step).or(self.retry_delays.last())?;
        Some(self.retry_queue_of(*delay))
    }

    /// Every queue that one of its messages may lie in.
    pub fn all(&self) -> Vec<String> {
        let rungs = self.retry_delays.iter().map(|delay| self.retry_queue_of(*delay));
        [self.name.clone(), self.dead()].into_iter().chain(rungs).collect()
    }

    /// The delay is part of the name, so that another ladder makes new queues instead of
    /// colliding with the old ones.
    fn retry_queue_of(&self, delay: Duration) -> String {
        format!("{}.retry.{}", self.name, delay.as_millis())
    }
}

/// The direct exchange and the queues behind it. Everything is durable; every queue is a quorum
/// queue; the arguments are understood alike by RabbitMQ 3.10 to 4.x.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// The exchange.
    pub exchange: String,
    /// The work queues bound to it.
    pub work_queues: Vec<WorkQueue>,
    /// How many times a message may come back because its reader died, before the broker itself
    /// moves it to the dead-letter queue.
    pub delivery_limit: u32,
}

impl Declare for Topology {
    async fn declare(&self, connection: &Connection) -> Result<(), BrokerError> {
        // A refused declaration kills its channel, so this one is for declaring only.
        let channel = connection.create_channel().await?;
        let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
        let exchange = ShortString::from(self.exchange.as_str());
        channel
            .exchange_declare(
                exchange.clone(),
                ExchangeKind::Direct,
                options,
                FieldTable::default(),
            )
            .await
            .map_err(|e| BrokerError::declaring(&self.exchange, e))?;
        for queue in &self.work_queues {
            for (name, arguments) in self.declarations(queue) {
                let options = QueueDeclareOptions { durable: true, ..Default::default() };
                channel
                    .queue_declare(name.as_str().into(), options, arguments)
                    .await
                    .map_err(|e| BrokerError::declaring(&name, e))?;
            }
            let name = ShortString::from(queue.name.as_str());
            let options = QueueBindOptions::default();
            channel
                .queue_bind(name.clone(), exchange.clone(), name, options, FieldTable::default())
                .await?;
        }
        Ok(channel.close(200, "declared".into()).await?)
    }
}

impl Topology {
    /// Dead letters first: nothing may point to a queue that is not there yet.
    fn declarations(&self, queue: &WorkQueue) -> Vec<(String, FieldTable)> {
        let mut all = vec![(queue.dead(), quorum(DEAD_DELIVERY_LIMIT))];
        all.push((
            queue.name.clone(),
            dead_lettering(quorum(self.delivery_limit), "", &queue.dead()),
        ));
        for delay in &queue.retry_delays {
            let back = dead_lettering(quorum(DEAD_DELIVERY_LIMIT), &self.exchange, &queue.name);
            let ttl = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
            all.push((
                queue.retry_queue_of(*delay),
                with(back, "x-message-ttl", AMQPValue::LongLongInt(ttl)),
            ));
        }
        all
    }
}

fn quorum(delivery_limit: u32) -> FieldTable {
    let table = with(FieldTable::default(), "x-queue-type", text("quorum"));
    with(table, "x-delivery-limit", AMQPValue::LongLongInt(i64::from(delivery_limit)))
}

/// At least once, as <https://www.rabbitmq.com/docs/quorum-queues#dead-lettering> describes it:
/// it needs `reject-publish`, and a nack is then normal.
fn dead_lettering(table: FieldTable, exchange: &str, routing_key: &str) -> FieldTable {
    let table = with(table, "x-dead-letter-exchange", text(exchange));
    let table = with(table, "x-dead-letter-routing-key", text(routing_key));
    let table = with(table, "x-dead-letter-strategy", text("at-least-once"));
    with(table, "x-overflow", text("reject-publish"))
}

fn with(mut table: FieldTable, key: &str, value: AMQPValue) -> FieldTable {
    table.insert(key.into(), value);
    table
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_is_climbed_rung_by_rung_and_its_last_rung_repeats() {
        let retry_delays = vec![Duration::from_millis(500), Duration::from_secs(60)];
        let queue = WorkQueue { name: "q".to_owned(), retry_delays };
        let rungs: Vec<_> = (1..=4).map(|n| queue.retry_queue(n).unwrap()).collect();
        assert_eq!(rungs, ["q.retry.500", "q.retry.60000", "q.retry.60000", "q.retry.60000"]);
        assert_eq!(WorkQueue { retry_delays: vec![], ..queue }.retry_queue(1), None);
    }
}
