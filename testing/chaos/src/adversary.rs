//! A client that may publish to the queues: it publishes nonsense, repetitions that the broker may
//! make at any time, and contradicting results, over a connection of its own without a proxy.

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
use super::evidence::AdversaryMessages;
use super::history::{Answer, Card, FollowUpKind, History};
use testkit::world::World;

const INTERVAL: Duration = Duration::from_millis(400);
/// Timeout of one publish.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(3);
const REQUESTS: &str = "processingorders";
const RESULTS: &str = "processedorders";

/// A message of the adversary.
enum Message {
    Nonsense { token: String, queue: &'static str, body: String },
    Request { order: Uuid, card: Card },
    Result { order: Uuid, contradicting: bool, captured: bool },
}

/// Publishes until the campaign is over, and returns the confirmed messages. A message without a
/// confirm may or may not be in its queue; no check uses it.
pub(super) async fn run(
    world: &World,
    clients: &Clients<'_>,
    seed: u64,
    mut over: Receiver<bool>,
) -> AdversaryMessages {
    let mut rng = StdRng::seed_from_u64(!seed);
    let mut done = AdversaryMessages::default();
    let mut open: Option<(Connection, Channel)> = None;
    while timeout(INTERVAL, over.wait_for(|over| *over)).await.is_err() {
        let Some(message) = draw(&clients.history(), &mut rng) else { continue };
        let sending = async {
            let (_, channel) = match open.take() {
                Some(kept) => open.insert(kept),
                None => open.insert(connect(world).await?),
            };
            message.send(channel).await
        };
        match timeout(PUBLISH_TIMEOUT, sending).await {
            Ok(Ok(())) => message.note(&mut done),
            Ok(Err(_)) | Err(_) => open = None,
        }
    }
    done
}

async fn connect(world: &World) -> Result<(Connection, Channel)> {
    let url = world.rabbitmq().url(world.name());
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok((connection, channel))
}

fn draw(history: &History, rng: &mut StdRng) -> Option<Message> {
    let token = Uuid::from_u128(rng.random()).simple().to_string();
    Some(match rng.random_range(0..8) {
        0 => nonsense(&token, REQUESTS, format!("not an order: {token}")),
        1 => nonsense(&token, RESULTS, format!("{{\"paymentStatus\":\"{token}\"}}")),
        2 => nonsense(&token, REQUESTS, format!("[{{\"orderId\":\"{token}\",\"totalPrice\":-1}}]")),
        3 => {
            let unknown = Uuid::from_u128(rng.random());
            let body =
                json!({"orderId": unknown, "paymentStatus": "successful", "paymentId": token});
            nonsense(&token, RESULTS, body.to_string())
        }
        4 | 5 => {
            let placement = history.placements.choose(rng)?;
            Message::Request { order: placement.accepted()?, card: placement.card }
        }
        draw => {
            // A result may contradict only a status that is final already: before that, no service
            // could recognise it as false.
            let later =
                history.later.choose(rng).filter(|later| later.kind == FollowUpKind::Read)?;
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

fn nonsense(token: &str, queue: &'static str, body: String) -> Message {
    Message::Nonsense { token: token.to_owned(), queue, body }
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
        ensure!(
            confirmed == Confirmation::Ack(None),
            "the broker did not confirm a message for {queue}"
        );
        Ok(())
    }

    fn note(self, done: &mut AdversaryMessages) {
        match self {
            Message::Nonsense { token, .. } => done.nonsense.push(token),
            Message::Request { order, .. } => done.requests.push(order),
            Message::Result { order, contradicting: true, .. } => done.contradicting.push(order),
            Message::Result { order, .. } => done.repeated.push(order),
        }
    }
}
