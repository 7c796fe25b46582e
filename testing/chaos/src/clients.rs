//! Realistic clients: they keep their keys, time out, change to the other process after a failure,
//! repeat with growing pauses, and some give up.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;

use super::fault::ORDER_MANAGEMENTS;
use super::history::{Answer, Attempt, Card, FollowUp, FollowUpKind, History, Placement};
use testkit::world::World;

/// Timeout of one request.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest time for which a client repeats its last order after the end of the campaign.
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);
/// Longest pause between two attempts for an order.
const PAUSE_MAX: Duration = Duration::from_secs(1);
const PAUSE_BETWEEN_ORDERS_MAX_MS: u64 = 200;
const GIVES_UP_SHARE: f64 = 0.05;
const READ_SHARE: f64 = 0.5;
const REPEAT_SHARE: f64 = 0.05;
const OTHER_BODY_SHARE: f64 = 0.02;

/// The state that all clients share.
#[derive(Debug)]
pub(super) struct Clients<'a> {
    world: &'a World,
    http: reqwest::Client,
    began: Instant,
    stop: watch::Receiver<bool>,
    history: Mutex<History>,
}

impl Clients<'_> {
    /// Creates the shared state; no client runs yet.
    pub(super) fn new(
        world: &World,
        began: Instant,
        stop: watch::Receiver<bool>,
    ) -> reqwest::Result<Clients<'_>> {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_TIMEOUT).build()?;
        Ok(Clients { world, http, began, stop, history: Mutex::default() })
    }

    /// The requests so far.
    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one client until the campaign is over and its last order is answered.
    pub(super) async fn work(&self, seed: u64, number: usize) {
        let own = seed.wrapping_mul(1_000).wrapping_add(u64::try_from(number).unwrap_or_default());
        let mut rng = StdRng::seed_from_u64(own);
        let mut accepted = Vec::new();
        for order in 0_u64.. {
            if *self.stop.borrow() {
                return;
            }
            let key = format!("{seed}-{number}-{order}");
            if let Some((id, card)) = self.place(&key, &mut rng).await {
                accepted.push((id, key, card));
            }
            self.follow_up(&accepted, &mut rng).await;
            sleep(Duration::from_millis(rng.random_range(0..PAUSE_BETWEEN_ORDERS_MAX_MS))).await;
        }
    }

    async fn place(&self, key: &str, rng: &mut StdRng) -> Option<(uuid::Uuid, Card)> {
        let card = draw(rng);
        let gives_up = rng.random_bool(GIVES_UP_SHARE);
        let mut process = rng.random_range(0..ORDER_MANAGEMENTS);
        let mut placement = Placement { key: key.to_owned(), card, attempts: Vec::new(), gives_up };
        let mut pause = Duration::from_millis(50);
        let mut over = self.stop.clone();
        let given_up = async move {
            if over.wait_for(|stop| *stop).await.is_ok() {
                sleep(GIVE_UP_AFTER).await;
            }
        };
        let trying = async {
            loop {
                let attempt = self.post(process, key, &body(card)).await;
                placement.attempts.push(attempt);
                if placement.accepted().is_some() || gives_up {
                    return;
                }
                process = (process + 1) % ORDER_MANAGEMENTS;
                sleep(pause.mul_f64(rng.random_range(0.5..1.5))).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        };
        tokio::select! {
            () = trying => {}
            () = given_up => {}
        }
        let accepted = placement.accepted();
        self.history().placements.push(placement);
        accepted.map(|id| (id, card))
    }

    /// With some probability, sends a request for an earlier order.
    async fn follow_up(&self, accepted: &[(uuid::Uuid, String, Card)], rng: &mut StdRng) {
        if accepted.is_empty() {
            return;
        }
        let which = rng.random_range(0..accepted.len());
        let Some((order, key, card)) = accepted.get(which) else { return };
        let process = rng.random_range(0..ORDER_MANAGEMENTS);
        let chance = rng.random_range(0.0..1.0);
        let kind = match chance {
            c if c < OTHER_BODY_SHARE => FollowUpKind::OtherBody,
            c if c < OTHER_BODY_SHARE + REPEAT_SHARE => FollowUpKind::Again,
            c if c < OTHER_BODY_SHARE + REPEAT_SHARE + READ_SHARE => FollowUpKind::Read,
            _ => return,
        };
        let (method, quantity) = card.order();
        let seen = match kind {
            FollowUpKind::Read => {
                let path = format!("/orders/{order}");
                self.send(process, self.http.get(self.world.url(process, &path))).await
            }
            FollowUpKind::Again => self.post(process, key, &order_body(method, quantity)).await,
            FollowUpKind::OtherBody => {
                self.post(process, key, &order_body(method, quantity + 1)).await
            }
        };
        self.history().later.push(FollowUp { order: *order, key: key.clone(), kind, seen });
    }

    async fn post(&self, process: usize, key: &str, body: &Value) -> Attempt {
        let request = self.http.post(self.world.url(process, "/orders")).json(body);
        self.send(process, request.header("Idempotency-Key", key)).await
    }

    async fn send(&self, process: usize, request: RequestBuilder) -> Attempt {
        let at = self.began.elapsed().as_secs_f64();
        let answer = match self.world.try_send(request).await {
            Ok(reply) => {
                let json = serde_json::from_str::<Value>(&reply.text).unwrap_or_default();
                let field = |name: &str| Some(json.get(name)?.as_str()?.to_owned());
                let id = field("id").and_then(|id| id.parse().ok());
                match (reply.status, id, field("status")) {
                    (200 | 201, Some(id), Some(status)) => Answer::Order { id, status },
                    (status, ..) => Answer::Refusal {
                        status,
                        retry_after: reply.header("retry-after").is_some(),
                        text: reply.text,
                    },
                }
            }
            Err(error) => Answer::Silence(cause(&error)),
        };
        Attempt { at, took: self.began.elapsed().as_secs_f64() - at, process, answer }
    }
}

/// The innermost cause: the outer errors only state that a request failed.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn body(card: Card) -> Value {
    let (method, quantity) = card.order();
    order_body(method, quantity)
}

fn order_body(method: &str, quantity: u32) -> Value {
    json!({"customerId": "1", "productId": "1", "quantity": quantity, "paymentMethod": method})
}

/// Draws a card: most are paid, and every kind of failure occurs.
fn draw(rng: &mut StdRng) -> Card {
    match rng.random_range(0..100) {
        0..10 => Card::Declined,
        10..14 => Card::TooMuch,
        14..22 => Card::ErrsTwice,
        22..27 => Card::SilentCapture,
        27 => Card::NeverAnswers,
        _ => Card::Visa,
    }
}
