//! The payment requests' consumer: decides what becomes of a message.

use std::collections::HashMap;

use common::broker::{Departure, Destination, Handler, Outcome, Received};
use common::domain::OrderId;
use common::message::{Envelope, PACK_MAX, PaymentRequest, PaymentResult, decode_requests};
use futures_util::StreamExt as _;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::charge::{ChargeError, Charges, Charging, Room};
use crate::reply::{Replies, Reply};

/// Handles payment requests.
#[derive(Debug)]
pub(crate) struct PaymentRequests {
    charges: Charges,
    replies: Replies,
    /// Held by the one message that is read and waits for room. The others wait as bytes.
    turn: Mutex<()>,
    stopping: CancellationToken,
}

impl Handler for PaymentRequests {
    /// Charges every order of the message at the same time. One that has no verdict leaves for
    /// the delay ladder, one that cannot be read for the dead letters; the others are replied to.
    async fn handle(&self, message: &Received) -> Outcome {
        let turn = self.turn.lock().await;
        let parts = decode_requests(&message.body);
        let packed = parts.len() > 1;
        let (mut bodies, mut requests, mut departures) = (HashMap::new(), Vec::new(), Vec::new());
        for part in parts {
            match part.read {
                Ok(request) => {
                    bodies.insert(request.order_id, part.bytes);
                    requests.push(with_request_id(request, &message.envelope));
                }
                Err(detail) => {
                    let to = Destination::Dead { reason: "unreadable", detail };
                    departures.push(Departure { body: part.bytes.to_vec(), message_id: None, to });
                }
            }
        }
        let Some(room) = self.room_for(requests.len()).await else { return Outcome::Back };
        drop(turn);
        let charged = self.charges.charge(requests, room).await;
        let unfinished = charged
            .map(|group| self.reply(group, &message.envelope))
            .buffer_unordered(PACK_MAX)
            .concat()
            .await;
        for order in unfinished {
            let body = bodies.get(&order).map(|bytes| bytes.to_vec()).unwrap_or_default();
            let message_id = packed.then(|| order.to_string());
            departures.push(Departure { body, message_id, to: Destination::Retry });
        }
        if departures.is_empty() { Outcome::Done } else { Outcome::Leave(departures) }
    }
}

impl PaymentRequests {
    /// Begins nothing any more once `stopping` is cancelled.
    pub(crate) fn new(
        charges: Charges,
        replies: Replies,
        stopping: CancellationToken,
    ) -> PaymentRequests {
        PaymentRequests { charges, replies, turn: Mutex::new(()), stopping }
    }

    /// Room for so many orders, unless the process stops first.
    async fn room_for(&self, orders: usize) -> Option<Room> {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => None,
            room = self.charges.room_for(orders) => Some(room),
        }
    }

    /// Replies to what has ended, and comes back with the orders that have not.
    async fn reply(&self, group: Vec<Charging>, envelope: &Envelope) -> Vec<OrderId> {
        let (mut replies, mut unfinished) = (Vec::new(), Vec::new());
        let mut rooms = Vec::new();
        for Charging { request, result, room } in group {
            rooms.push(room);
            match result {
                Ok(charged) => replies.push(Reply {
                    result: PaymentResult {
                        order_id: request.order_id,
                        verdict: charged.verdict,
                        payment_id: Some(charged.payment_id.to_string()),
                        request_id: request.request_id,
                    },
                    traceparent: envelope.traceparent.clone(),
                }),
                Err(error) => {
                    note(&error, &request, envelope.attempts);
                    unfinished.push(request.order_id);
                }
            }
        }
        if !replies.is_empty() {
            self.replies.reply(replies).await;
        }
        drop(rooms);
        unfinished
    }
}

/// A single object has its request id in the message's properties.
fn with_request_id(request: PaymentRequest, envelope: &Envelope) -> PaymentRequest {
    let of_message = || envelope.correlation_id.as_ref().and_then(|id| id.parse().ok());
    PaymentRequest { request_id: request.request_id.or_else(of_message), ..request }
}

fn note(error: &ChargeError, request: &PaymentRequest, attempts: u32) {
    let order = request.order_id;
    match error {
        ChargeError::NoVerdict(_) => {
            log::info!(order:%, attempts; "will be asked again: {error}");
        }
        ChargeError::Store(_) => log::error!(order:%, attempts; "will be tried again: {error}"),
    }
}
