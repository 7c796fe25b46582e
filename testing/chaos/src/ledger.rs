//! The contents of tables and queues at the end.

use anyhow::{Context, Result};
use lapin::message::BasicGetMessage;
use lapin::types::AMQPValue;
use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

use super::status_trigger::Origin;
use testkit::world::World;

/// A row of `orders`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct OrderRow {
    pub(super) id: Uuid,
    pub(super) key: Option<String>,
    pub(super) status: String,
    pub(super) total_minor: i64,
    pub(super) created_at: f64,
}

/// A row of `payments`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PaymentRow {
    pub(super) order_id: Uuid,
    pub(super) status: String,
    pub(super) amount_minor: i64,
    pub(super) started_at: f64,
    pub(super) finished_at: Option<f64>,
}

/// A row of the gateway's ledger.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CaptureRow {
    pub(super) key: String,
    pub(super) order_id: Uuid,
    pub(super) amount_minor: i64,
    pub(super) at: f64,
}

/// A change of an order's status, recorded by the status trigger.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StatusChange {
    pub(super) order_id: Uuid,
    pub(super) was: String,
    pub(super) became: String,
    pub(super) at: f64,
}

/// A message that is in a queue.
#[derive(Clone, Debug, Serialize)]
pub(super) struct QueuedMessage {
    pub(super) queue: String,
    pub(super) body: String,
    /// `x-attempts`.
    pub(super) attempts: Option<i64>,
    /// `x-reason`, or a note that the broker moved the message.
    pub(super) reason: Option<String>,
}

/// The whole contents.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Ledger {
    pub(super) orders: Vec<OrderRow>,
    pub(super) payments: Vec<PaymentRow>,
    pub(super) captures: Vec<CaptureRow>,
    pub(super) moves: Vec<StatusChange>,
    pub(super) queued: Vec<QueuedMessage>,
    /// Orders in the outbox.
    pub(super) outbox: i64,
    /// Time of the reading.
    pub(super) read_at: f64,
}

/// The dead-letter queues.
pub(super) const DEAD: [&str; 2] = ["processingorders.dead", "processedorders.dead"];
const WORK: [&str; 2] = ["processingorders", "processedorders"];

/// The retry queues of a world with these delays.
pub(super) fn retry_queues(delays_ms: &str) -> Vec<String> {
    delays_ms.split(',').map(|ms| format!("processingorders.retry.{ms}")).collect()
}

impl Ledger {
    /// Reads tables and queues. All services must have stopped, and the retry queues must be empty.
    ///
    /// # Errors
    /// If a server does not answer.
    pub(super) async fn read(world: &World, origin: Origin) -> Result<Ledger> {
        let since = |column: &str| {
            format!("(extract(epoch from {column}) - {})::float8 as {column}", origin.epoch)
        };
        let orders = format!(
            "select id, idempotency_key, status::text, total_minor, {} from orders",
            since("created_at")
        );
        let payments = format!(
            "select order_id, status::text, amount_minor, {}, {} from payments.payments",
            since("started_at"),
            since("finished_at")
        );
        let captures = format!(
            "select key, order_id, amount_minor, {} from simulated_gateway.captures",
            since("captured_at")
        );
        let moves = format!(
            "select order_id, was, became, {} from status_changes order by at",
            since("at")
        );
        let mut ledger = Ledger {
            orders: rows(world, &orders, order_from_row).await?,
            payments: rows(world, &payments, payment_from_row).await?,
            captures: rows(world, &captures, capture_from_row).await?,
            moves: rows(world, &moves, status_change_from_row).await?,
            outbox: world.try_count("select coalesce(sum(orders), 0)::bigint from outbox").await?,
            queued: Vec::new(),
            read_at: origin.began.elapsed().as_secs_f64(),
        };
        for queue in WORK.into_iter().chain(DEAD) {
            let messages = world.messages_in(queue).await;
            ledger.queued.extend(messages.iter().map(|message| queued_message(queue, message)));
        }
        Ok(ledger)
    }
}

fn queued_message(queue: &str, message: &BasicGetMessage) -> QueuedMessage {
    let headers = message.delivery.properties.headers().clone().unwrap_or_default();
    let header = |name: &str| headers.inner().get(name);
    let text = |name: &str| header(name).and_then(AMQPValue::as_long_string);
    let reason = text("x-reason").map(ToString::to_string);
    QueuedMessage {
        queue: queue.to_owned(),
        body: String::from_utf8_lossy(&message.delivery.data).into_owned(),
        attempts: header("x-attempts").and_then(AMQPValue::as_long_long_int),
        reason: reason.or_else(|| header("x-death").map(|_| "by the broker".into())),
    }
}

type Read<T> = fn(&Row) -> Result<T, tokio_postgres::Error>;

async fn rows<T>(world: &World, query: &str, read: Read<T>) -> Result<Vec<T>> {
    let rows = world.try_sql(query, &[]).await.with_context(|| query.to_owned())?;
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

fn order_from_row(row: &Row) -> Result<OrderRow, tokio_postgres::Error> {
    Ok(OrderRow {
        id: row.try_get(0)?,
        key: row.try_get(1)?,
        status: row.try_get(2)?,
        total_minor: row.try_get(3)?,
        created_at: row.try_get(4)?,
    })
}

fn payment_from_row(row: &Row) -> Result<PaymentRow, tokio_postgres::Error> {
    Ok(PaymentRow {
        order_id: row.try_get(0)?,
        status: row.try_get(1)?,
        amount_minor: row.try_get(2)?,
        started_at: row.try_get(3)?,
        finished_at: row.try_get(4)?,
    })
}

fn capture_from_row(row: &Row) -> Result<CaptureRow, tokio_postgres::Error> {
    Ok(CaptureRow {
        key: row.try_get(0)?,
        order_id: row.try_get(1)?,
        amount_minor: row.try_get(2)?,
        at: row.try_get(3)?,
    })
}

fn status_change_from_row(row: &Row) -> Result<StatusChange, tokio_postgres::Error> {
    Ok(StatusChange {
        order_id: row.try_get(0)?,
        was: row.try_get(1)?,
        became: row.try_get(2)?,
        at: row.try_get(3)?,
    })
}
