//! What stands in tables and queues at the end.

use anyhow::{Context, Result};
use lapin::types::AMQPValue;
use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

use super::witness::Origin;
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

/// A line of the gateway's books.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CaptureRow {
    pub(super) key: String,
    pub(super) order_id: Uuid,
    pub(super) amount_minor: i64,
    pub(super) at: f64,
}

/// A change of a status, as the witness saw it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Move {
    pub(super) order_id: Uuid,
    pub(super) was: String,
    pub(super) became: String,
    pub(super) at: f64,
}

/// A message that is in a queue.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Left {
    pub(super) queue: String,
    pub(super) body: String,
    /// `x-attempts`.
    pub(super) attempts: Option<i64>,
    /// `x-reason`, or the broker's own.
    pub(super) reason: Option<String>,
}

/// All of it.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Books {
    pub(super) orders: Vec<OrderRow>,
    pub(super) payments: Vec<PaymentRow>,
    pub(super) captures: Vec<CaptureRow>,
    pub(super) moves: Vec<Move>,
    pub(super) left: Vec<Left>,
    /// Orders in the outbox.
    pub(super) outbox: i64,
    /// When they were read.
    pub(super) read_at: f64,
}

/// Where dead letters are.
pub(super) const DEAD: [&str; 2] = ["processingorders.dead", "processedorders.dead"];
const WORK: [&str; 2] = ["processingorders", "processedorders"];

/// The queues of the delay ladder, in a world with these rungs.
pub(super) fn rungs(delays_ms: &str) -> Vec<String> {
    delays_ms.split(',').map(|ms| format!("processingorders.retry.{ms}")).collect()
}

impl Books {
    /// Reads them. Nobody may be at work any more, and the delay ladder be empty.
    ///
    /// # Errors
    /// If a server does not answer.
    pub(super) async fn read(world: &World, origin: Origin) -> Result<Books> {
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
        let moves =
            format!("select order_id, was, became, {} from witness order by at", since("at"));
        let mut books = Books {
            orders: rows(world, &orders, order).await?,
            payments: rows(world, &payments, payment).await?,
            captures: rows(world, &captures, capture).await?,
            moves: rows(world, &moves, one_move).await?,
            outbox: world.try_count("select coalesce(sum(orders), 0)::bigint from outbox").await?,
            left: Vec::new(),
            read_at: origin.began.elapsed().as_secs_f64(),
        };
        for queue in WORK.into_iter().chain(DEAD) {
            for message in world.messages_in(queue).await {
                let headers = message.delivery.properties.headers().clone().unwrap_or_default();
                let header = |name: &str| headers.inner().get(name);
                let text = |name: &str| header(name).and_then(AMQPValue::as_long_string);
                let reason = text("x-reason").map(ToString::to_string);
                books.left.push(Left {
                    queue: queue.to_owned(),
                    body: String::from_utf8_lossy(&message.delivery.data).into_owned(),
                    attempts: header("x-attempts").and_then(AMQPValue::as_long_long_int),
                    reason: reason.or_else(|| header("x-death").map(|_| "by the broker".into())),
                });
            }
        }
        Ok(books)
    }
}

type Read<T> = fn(&Row) -> Result<T, tokio_postgres::Error>;

async fn rows<T>(world: &World, query: &str, read: Read<T>) -> Result<Vec<T>> {
    let rows = world.try_sql(query, &[]).await.with_context(|| query.to_owned())?;
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

fn order(row: &Row) -> Result<OrderRow, tokio_postgres::Error> {
    Ok(OrderRow {
        id: row.try_get(0)?,
        key: row.try_get(1)?,
        status: row.try_get(2)?,
        total_minor: row.try_get(3)?,
        created_at: row.try_get(4)?,
    })
}

fn payment(row: &Row) -> Result<PaymentRow, tokio_postgres::Error> {
    Ok(PaymentRow {
        order_id: row.try_get(0)?,
        status: row.try_get(1)?,
        amount_minor: row.try_get(2)?,
        started_at: row.try_get(3)?,
        finished_at: row.try_get(4)?,
    })
}

fn capture(row: &Row) -> Result<CaptureRow, tokio_postgres::Error> {
    Ok(CaptureRow {
        key: row.try_get(0)?,
        order_id: row.try_get(1)?,
        amount_minor: row.try_get(2)?,
        at: row.try_get(3)?,
    })
}

fn one_move(row: &Row) -> Result<Move, tokio_postgres::Error> {
    Ok(Move {
        order_id: row.try_get(0)?,
        was: row.try_get(1)?,
        became: row.try_get(2)?,
        at: row.try_get(3)?,
    })
}
