use std::time::Duration;

use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ExchangeKind};

use crate::declare::Declaring;
use crate::error::BrokerError;

/// Delivery limit of dead-letter and retry queues: people and tools receive a dead letter any number of
/// times. Without a limit RabbitMQ 4 would drop it after 20 deliveries, and 3.x has no "unlimited".
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

/// A queue of work, named as its routing key, with its dead-letter queue and its retry queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkQueue {
    /// The name and routing key.
    pub name: String,
    /// Delays before the next attempts; the last one repeats. May be empty.
    pub retry_delays: Vec<Duration>,
}

/// A work queue that is consumed.
#[derive(Clone, Copy, Debug)]
pub struct WorkSubscription<'a> {
    /// The queue.
    pub queue: &'a WorkQueue,
    /// Role of the connection, in metrics and in the broker's list of connections: another one for
    /// each queue of a process.
    pub role: &'static str,
    /// Largest number of unacked messages.
    pub prefetch: u16,
}

impl WorkQueue {
    /// The name of the dead-letter queue.
    pub fn dead(&self) -> String {
        format!("{}.dead", self.name)
    }

    /// The retry queue of a message that was attempted `attempts` times, if there are any.
    pub fn retry_queue(&self, attempts: u32) -> Option<String> {
        let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let delay = self.retry_delays.get(step).or(self.retry_delays.last())?;
        Some(self.retry_queue_of(*delay))
    }

    /// Every queue that one of its messages may wait in.
    pub fn all(&self) -> Vec<String> {
        let retries = self.retry_delays.iter().map(|delay| self.retry_queue_of(*delay));
        [self.name.clone(), self.dead()].into_iter().chain(retries).collect()
    }

    /// The delay is part of the name, so that other delays make new queues instead of colliding with
    /// the old ones.
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
    /// Number of redeliveries because a consumer died, after which the broker moves a message to the
    /// dead-letter queue.
    pub delivery_limit: u32,
}

impl Declare for Topology {
    async fn declare(&self, connection: &Connection) -> Result<(), BrokerError> {
        let mut declaring = Declaring::on(connection).await?;
        declaring.exchange(&self.exchange, ExchangeKind::Direct).await?;
        for queue in &self.work_queues {
            for (name, arguments) in self.declarations(queue) {
                declaring.queue(&name, arguments).await?;
            }
            declaring.bind(&queue.name, &self.exchange, &queue.name).await?;
        }
        declaring.end().await
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

/// At-least-once dead-lettering (<https://www.rabbitmq.com/docs/quorum-queues#dead-lettering>):
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
    fn delays_grow_with_the_attempts_and_the_last_one_repeats() {
        let retry_delays = vec![Duration::from_millis(500), Duration::from_secs(60)];
        let queue = WorkQueue { name: "q".to_owned(), retry_delays };
        let queues: Vec<_> = (1..=4).map(|n| queue.retry_queue(n).unwrap()).collect();
        assert_eq!(queues, ["q.retry.500", "q.retry.60000", "q.retry.60000", "q.retry.60000"]);
        assert_eq!(WorkQueue { retry_delays: vec![], ..queue }.retry_queue(1), None);
    }
}
