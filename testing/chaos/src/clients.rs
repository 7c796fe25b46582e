//! Clients as they are: they keep keys, wait only so long, go to the other process when one does not
//! answer, repeat with growing pauses, and some give up.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;

use super::fault::ORDER_MANAGEMENTS;
use super::history::{Answer, Asked, Card, History, Later, Placing, Try};
use testkit::world::World;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a client goes on asking once the campaign is over.
const STUBBORN: Duration = Duration::from_secs(60);
/// The longest pause between two tries, and between two orders.
const PAUSE_MAX: Duration = Duration::from_secs(1);
const THINKING_MAX_MS: u64 = 200;
const FICKLE: f64 = 0.05;
const READS: f64 = 0.5;
const REPEATS: f64 = 0.05;
const MISUSES: f64 = 0.02;

/// What all clients share.
#[derive(Debug)]
pub(super) struct Clients<'a> {
    world: &'a World,
    http: reqwest::Client,
    began: Instant,
    stop: watch::Receiver<bool>,
    history: Mutex<History>,
}

impl Clients<'_> {
    /// None is at work yet.
    pub(super) fn of(
        world: &World,
        began: Instant,
        stop: watch::Receiver<bool>,
    ) -> reqwest::Result<Clients<'_>> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Clients { world, http, began, stop, history: Mutex::default() })
    }

    /// So far.
    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One client, until the campaign is over and its last order is answered.
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
            self.look_back(&accepted, &mut rng).await;
            sleep(Duration::from_millis(rng.random_range(0..THINKING_MAX_MS))).await;
        }
    }

    async fn place(&self, key: &str, rng: &mut StdRng) -> Option<(uuid::Uuid, Card)> {
        let card = drawn(rng);
        let fickle = rng.random_bool(FICKLE);
        let mut process = rng.random_range(0..ORDER_MANAGEMENTS);
        let mut placing = Placing { key: key.to_owned(), card, tries: Vec::new(), fickle };
        let mut pause = Duration::from_millis(50);
        let mut over = self.stop.clone();
        let given_up = async move {
            if over.wait_for(|stop| *stop).await.is_ok() {
                sleep(STUBBORN).await;
            }
        };
        let trying = async {
            loop {
                let tried = self.posted(process, key, &body(card)).await;
                placing.tries.push(tried);
                if placing.accepted().is_some() || fickle {
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
        let accepted = placing.accepted();
        self.history().placings.push(placing);
        accepted.map(|id| (id, card))
    }

    /// Asks about an earlier order, perhaps.
    async fn look_back(&self, accepted: &[(uuid::Uuid, String, Card)], rng: &mut StdRng) {
        if accepted.is_empty() {
            return;
        }
        let which = rng.random_range(0..accepted.len());
        let Some((order, key, card)) = accepted.get(which) else { return };
        let process = rng.random_range(0..ORDER_MANAGEMENTS);
        let chance = rng.random_range(0.0..1.0);
        let asked = match chance {
            c if c < MISUSES => Asked::OtherBody,
            c if c < MISUSES + REPEATS => Asked::Again,
            c if c < MISUSES + REPEATS + READS => Asked::Read,
            _ => return,
        };
        let (method, quantity) = card.order();
        let seen = match asked {
            Asked::Read => {
                let path = format!("/orders/{order}");
                self.answered(process, self.http.get(self.world.url(process, &path))).await
            }
            Asked::Again => self.posted(process, key, &wanted(method, quantity)).await,
            Asked::OtherBody => self.posted(process, key, &wanted(method, quantity + 1)).await,
        };
        self.history().later.push(Later { order: *order, key: key.clone(), asked, seen });
    }

    async fn posted(&self, process: usize, key: &str, body: &Value) -> Try {
        let request = self.http.post(self.world.url(process, "/orders")).json(body);
        self.answered(process, request.header("Idempotency-Key", key)).await
    }

    async fn answered(&self, process: usize, request: RequestBuilder) -> Try {
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
        Try { at, took: self.began.elapsed().as_secs_f64() - at, process, answer }
    }
}

/// The innermost cause: the outer ones only say that a request failed.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn body(card: Card) -> Value {
    let (method, quantity) = card.order();
    wanted(method, quantity)
}

fn wanted(method: &str, quantity: u32) -> Value {
    json!({"customerId": "1", "productId": "1", "quantity": quantity, "paymentMethod": method})
}

/// Most pay, and every way of going wrong is among them.
fn drawn(rng: &mut StdRng) -> Card {
    match rng.random_range(0..100) {
        0..10 => Card::Declined,
        10..14 => Card::TooMuch,
        14..22 => Card::ErrsTwice,
        22..27 => Card::SilentCapture,
        27 => Card::NeverAnswers,
        _ => Card::Visa,
    }
}
