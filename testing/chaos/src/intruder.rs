//! Somebody who may publish to the queues: nonsense, and repetitions that the broker may make at any
//! time. It has a connection of its own, past the proxies.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use tokio::sync::watch::Receiver;
use tokio::time::timeout;
use uuid::Uuid;

use super::clients::Clients;
use super::evidence::Intrusions;
use super::history::{Answer, Asked, Card, History};
use testkit::world::World;

const EVERY: Duration = Duration::from_millis(400);
/// How long the broker may take for one of these messages.
const PATIENCE: Duration = Duration::from_secs(3);
const REQUESTS: &str = "processingorders";
const RESULTS: &str = "processedorders";

/// What it puts into a queue.
enum Message {
    Nonsense { word: String, queue: &'static str, body: String },
    Request { order: Uuid, card: Card },
    Result { order: Uuid, contradicting: bool, captured: bool },
}

/// Intrudes until the campaign is over. What the broker did not confirm may be in the queue or
/// not, and is not held against anybody.
pub(super) async fn intrude(
    world: &World,
    clients: &Clients<'_>,
    (seed, mut over): (u64, Receiver<bool>),
) -> Intrusions {
    let mut rng = StdRng::seed_from_u64(!seed);
    let mut done = Intrusions::default();
    let mut open: Option<(Connection, Channel)> = None;
    while timeout(EVERY, over.wait_for(|over| *over)).await.is_err() {
        let Some(message) = drawn(&clients.history(), &mut rng) else { continue };
        let sending = async {
            let (_, channel) = match open.take() {
                Some(kept) => open.insert(kept),
                None => open.insert(connected(world).await?),
            };
            message.send(channel).await
        };
        match timeout(PATIENCE, sending).await {
            Ok(Ok(())) => message.note(&mut done),
            Ok(Err(_)) | Err(_) => open = None,
        }
    }
    done
}

async fn connected(world: &World) -> Result<(Connection, Channel)> {
    let url = world.rabbitmq().url(world.name());
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok((connection, channel))
}

fn drawn(history: &History, rng: &mut StdRng) -> Option<Message> {
    let word = Uuid::from_u128(rng.random()).simple().to_string();
    Some(match rng.random_range(0..8) {
        0 => nonsense(&word, REQUESTS, format!("not an order: {word}")),
        1 => nonsense(&word, RESULTS, format!("{{\"paymentStatus\":\"{word}\"}}")),
        2 => nonsense(&word, REQUESTS, format!("[{{\"orderId\":\"{word}\",\"totalPrice\":-1}}]")),
        3 => {
            let unknown = Uuid::from_u128(rng.random());
            let body =
                json!({"orderId": unknown, "paymentStatus": "successful", "paymentId": word});
            nonsense(&word, RESULTS, body.to_string())
        }
        4 | 5 => {
            let placing = history.placings.choose(rng)?;
            Message::Request { order: placing.accepted()?, card: placing.card }
        }
        draw => {
            // A result may contradict only what is final already: before that it would be a lie
            // that nobody could see through.
            let later = history.later.choose(rng).filter(|later| later.asked == Asked::Read)?;
            let Answer::Order { id, status } = &later.seen.answer else { return None };
            let captured = match status.as_str() {
                "Confirmed" => true,
                "Canceled" => false,
                _ => return None,
            };
            Message::Result { order: *id, contradicting: draw == 6, captured }
        }
    })
}

fn nonsense(word: &str, queue: &'static str, body: String) -> Message {
    Message::Nonsense { word: word.to_owned(), queue, body }
}

impl Message {
    async fn send(&self, channel: &Channel) -> Result<()> {
        let (queue, body) = match self {
            Message::Nonsense { queue, body, .. } => (*queue, body.clone()),
            Message::Request { order, card } => {
                let (method, quantity) = card.order();
                let body = json!({
                    "orderId": order, "totalPrice": 199 * quantity, "currency": "USD",
                    "customerId": "1", "paymentMethod": method,
                });
                (REQUESTS, body.to_string())
            }
            Message::Result { order, contradicting, captured } => {
                let status = if captured != contradicting { "successful" } else { "failed" };
                let body = json!({"orderId": order, "paymentStatus": status, "paymentId": order});
                (RESULTS, body.to_string())
            }
        };
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let properties = BasicProperties::default().with_delivery_mode(2);
        let body = body.as_bytes();
        let sent = channel.basic_publish("".into(), queue.into(), options, body, properties).await;
        let confirmed = sent?.await.context("await the confirm")?;
        ensure!(confirmed == Confirmation::Ack(None), "{queue} did not take it");
        Ok(())
    }

    fn note(self, done: &mut Intrusions) {
        match self {
            Message::Nonsense { word, .. } => done.nonsense.push(word),
            Message::Request { order, .. } => done.requests.push(order),
            Message::Result { order, contradicting: true, .. } => done.contradicting.push(order),
            Message::Result { order, .. } => done.repeated.push(order),
        }
    }
}
