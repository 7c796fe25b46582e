//! The payment requests' consumer: decides what becomes of a message.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use common::broker::{Departure, Destination, Handler, Outcome, Own, Received};
use common::domain::{About, RequestId, TraceParent};
use common::message::{Envelope, PACK_MAX, PaymentRequest, PaymentResult, decode_requests};
use common::road::TraceId;
use common::runtime::ROAD;
use common::trace::{MessageSpans, OrderSpans};
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::charge::{ChargeError, Charges, Charging, Room, outcome};
use crate::reply::Replies;

/// Handles payment requests.
#[derive(Debug)]
pub(crate) struct PaymentRequests {
    charges: Charges,
    replies: Replies,
    /// Held by the one message that is read and waits for room. The others wait as bytes.
    turn: tokio::sync::Mutex<()>,
    stopping: CancellationToken,
    spans: MessageSpans,
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
                    requests.push(if packed { request } else { alone(request, &message.envelope) });
                }
                Err(detail) => {
                    let to = Destination::Dead { reason: "unreadable", detail };
                    departures.push(Departure { body: part.bytes.to_vec(), own: None, to });
                }
            }
        }
        let Some(room) = self.room_for(requests.len()).await else { return Outcome::Back };
        drop(turn);
        for request in self.charge(requests, room, &message.envelope).await {
            let body =
                bodies.get(&request.order_id).map(|bytes| bytes.to_vec()).unwrap_or_default();
            let own = packed.then(|| own(&request));
            departures.push(Departure { body, own, to: Destination::Retry });
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
        spans: MessageSpans,
    ) -> PaymentRequests {
        PaymentRequests { charges, replies, turn: tokio::sync::Mutex::new(()), stopping, spans }
    }

    /// Room for so many orders, unless the process stops first.
    async fn room_for(&self, orders: usize) -> Option<Room> {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => None,
            room = self.charges.room_for(orders) => Some(room),
        }
    }

    /// Charges and replies, and comes back with the requests that have no verdict.
    async fn charge(
        &self,
        mut requests: Vec<PaymentRequest>,
        room: Room,
        envelope: &Envelope,
    ) -> Vec<PaymentRequest> {
        let orders = requests.len();
        let spans = OrderSpans::begin(requests.iter().map(PaymentRequest::about), || {
            self.spans.processing()
        });
        if !spans.is_empty() {
            for request in &mut requests {
                request.traceparent = spans.context(&request.about());
            }
        }
        let spans = Mutex::new(spans);
        let charged = self.charges.charge(requests, room).await;
        let unfinished = charged
            .map(|group| self.reply(group, envelope, &spans))
            .buffer_unordered(PACK_MAX)
            .concat()
            .await;
        let spans = spans.into_inner().unwrap_or_else(PoisonError::into_inner);
        spans.end_together(|| self.spans.processed_batch(orders));
        unfinished
    }

    /// Replies to what has ended, and comes back with the requests that have not.
    async fn reply(
        &self,
        group: Vec<Charging>,
        envelope: &Envelope,
        spans: &Mutex<OrderSpans>,
    ) -> Vec<PaymentRequest> {
        let (mut replies, mut unfinished) = (Vec::new(), Vec::new());
        let mut rooms = Vec::new();
        for Charging { request, result, room } in group {
            rooms.push(room);
            match result {
                Ok(charged) => replies.push(PaymentResult {
                    order_id: request.order_id,
                    verdict: charged.verdict,
                    payment_id: Some(charged.payment_id.to_string()),
                    request_id: request.request_id,
                    traceparent: request.traceparent,
                }),
                Err(error) => {
                    note(&error, &request.about(), envelope.attempts);
                    self.end(spans, &request.about(), "unknown");
                    unfinished.push(request);
                }
            }
        }
        if !replies.is_empty() {
            self.replies.reply(&replies).await;
            for reply in &replies {
                self.end(spans, &reply.about(), outcome(&reply.verdict));
            }
        }
        drop(rooms);
        unfinished
    }

    fn end(&self, spans: &Mutex<OrderSpans>, order: &About<'_>, outcome: &'static str) {
        let mut spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.end(order.order_id, || self.spans.processed(order, outcome));
    }
}

/// A request that is the whole message has its ids in the message's properties.
fn alone(request: PaymentRequest, envelope: &Envelope) -> PaymentRequest {
    let of_message = || envelope.correlation_id.as_ref().and_then(|id| id.parse().ok());
    PaymentRequest {
        request_id: request.request_id.or_else(of_message),
        traceparent: request.traceparent.or(envelope.traceparent),
        ..request
    }
}

/// What a request takes along when it leaves its pack.
fn own(request: &PaymentRequest) -> Own {
    let about = request.about();
    Own {
        message_id: about.order_id.to_string(),
        correlation_id: about.request_id.map(ToString::to_string),
        traceparent: about.traceparent.or(Some(TraceParent::of_order(about.order_id))),
    }
}

fn note(error: &ChargeError, about: &About<'_>, attempts: u32) {
    let (order_id, trace_id) = (about.order_id, TraceId(about));
    let request_id = about.request_id.map(RequestId::as_str);
    match error {
        ChargeError::NoVerdict(_) => {
            log::info!(target: ROAD, order_id:%, request_id, trace_id:%, attempts, outcome = "unknown";
                "the charge has no verdict and will be asked for again: {error}");
        }
        ChargeError::Store(_) => {
            log::error!(target: ROAD, order_id:%, request_id, trace_id:%, attempts;
                "the charge could not be recorded and will be tried again: {error}");
        }
    }
}
