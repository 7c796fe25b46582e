//! The consumer of payment requests.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use amqp::{Destination, Forwarded, PartProperties, ProcessParts, Processed};
use db::payments::ScheduledCopy;
use domain::{About, RequestId, TraceParent};
use futures_util::StreamExt as _;
use messages::decode_requests;
use messages::{Envelope, PACK_MAX, Part, PaymentRequest, PaymentResult, SigningKeys};
use telemetry::ORDER_TARGET;
use telemetry::order_log::TraceId;
use telemetry::trace::{MessageSpans, OrderSpans};
use tokio_util::sync::CancellationToken;

use crate::charge::{ChargeAttempt, ChargeError, ChargeState, Charges, Room, outcome};
use crate::reply::Replies;

/// Charges the orders of a message and replies. An order without a verdict goes to the retry queues.
#[derive(Debug)]
pub(crate) struct PaymentRequests {
    charges: Charges,
    replies: Replies,
    /// Held by the one message that is decoded and waits for room. The others wait as bytes.
    turn: tokio::sync::Mutex<()>,
    stopping: CancellationToken,
    spans: MessageSpans,
    /// The keys of which one has to have signed a request; `None` if requests are not signed.
    signing: Option<SigningKeys>,
    /// Delays of the retry queues.
    retry_delays: Vec<Duration>,
}

impl ProcessParts for PaymentRequests {
    type Item = PaymentRequest;

    fn decode(body: &[u8]) -> Vec<Part<'_, PaymentRequest>> {
        decode_requests(body)
    }

    fn admit(&self, part: &[u8]) -> Result<(), Destination> {
        let Some(keys) = &self.signing else { return Ok(()) };
        keys.verify(part).map_err(|why| Destination::Dead {
            reason: "signature_invalid",
            detail: why.to_owned(),
        })
    }

    fn with_envelope(request: PaymentRequest, envelope: &Envelope) -> PaymentRequest {
        let of_message = || envelope.correlation_id.as_ref().and_then(|id| id.parse().ok());
        PaymentRequest {
            request_id: request.request_id.or_else(of_message),
            traceparent: request.traceparent.or(envelope.traceparent),
            ..request
        }
    }

    /// Charges every order of the message at the same time.
    async fn process(&self, requests: Vec<PaymentRequest>, envelope: &Envelope) -> Processed {
        // Held until the end of the attempt. New orders do not wait for retries: one without room
        // goes back to the retry queues.
        let retry_room = match envelope.attempts {
            0 => None,
            _ => match self.charges.room_for_retry(requests.len()).await {
                Some(room) => Some(room),
                None => return put_off(&requests),
            },
        };
        let turn = self.turn.lock().await;
        let Some(room) = self.room_for(requests.len()).await else { return Processed::NotStarted };
        drop(turn);
        let mut each: Vec<Option<Forwarded>> = requests.iter().map(|_| None).collect();
        for (index, forwarded) in self.charge(requests, room, envelope).await {
            if let Some(part) = each.get_mut(index) {
                *part = Some(forwarded);
            }
        }
        drop(retry_room);
        Processed::Each(each)
    }

    async fn scheduled(&self, parts: Vec<String>, attempts: u32) {
        let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let delay = self.retry_delays.get(index).or(self.retry_delays.last());
        let due_in = delay.copied().unwrap_or_default();
        let number = i32::try_from(attempts).unwrap_or(i32::MAX);
        let copy =
            |id: String| id.parse().ok().map(|order_id| ScheduledCopy { order_id, number, due_in });
        let copies: Vec<ScheduledCopy> = parts.into_iter().filter_map(copy).collect();
        self.charges.note_scheduled(&copies).await;
    }
}

impl PaymentRequests {
    /// Starts no charge once `stopping` is cancelled.
    pub(crate) fn new(
        charges: Charges,
        replies: Replies,
        stopping: CancellationToken,
        spans: MessageSpans,
    ) -> PaymentRequests {
        let turn = tokio::sync::Mutex::new(());
        let (signing, retry_delays) = (None, Vec::new());
        PaymentRequests { charges, replies, turn, stopping, spans, signing, retry_delays }
    }

    /// Expects the copies in retry queues after these delays.
    pub(crate) fn retried_after(self, retry_delays: Vec<Duration>) -> PaymentRequests {
        PaymentRequests { retry_delays, ..self }
    }

    /// Charges only requests that one of `keys` has signed.
    pub(crate) fn signed_by(self, keys: Option<SigningKeys>) -> PaymentRequests {
        PaymentRequests { signing: keys, ..self }
    }

    /// Room for this many orders, unless the process stops first.
    async fn room_for(&self, orders: usize) -> Option<Room> {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => None,
            room = self.charges.room_for(orders) => Some(room),
        }
    }

    /// Charges and replies. Returns the requests without a verdict, by their position in the message.
    async fn charge(
        &self,
        mut requests: Vec<PaymentRequest>,
        room: Room,
        envelope: &Envelope,
    ) -> Vec<(usize, Forwarded)> {
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
        let charged = self.charges.charge(requests, room, envelope.attempts).await;
        let unfinished = charged
            .map(|group| self.reply(group, envelope, &spans))
            .buffer_unordered(PACK_MAX)
            .concat()
            .await;
        let spans = spans.into_inner().unwrap_or_else(PoisonError::into_inner);
        spans.end_together(|| self.spans.processed_batch(orders));
        unfinished
    }

    /// Replies to the finished payments of a group. Returns the requests of the others.
    async fn reply(
        &self,
        group: Vec<ChargeAttempt>,
        envelope: &Envelope,
        spans: &Mutex<OrderSpans>,
    ) -> Vec<(usize, Forwarded)> {
        let (mut results, mut unfinished) = (Vec::new(), Vec::new());
        for attempt in &group {
            let request = &attempt.request;
            match &attempt.state {
                ChargeState::Finished { payment_id, verdict } => results.push(PaymentResult {
                    order_id: request.order_id,
                    verdict: verdict.clone(),
                    payment_id: Some(payment_id.to_string()),
                    request_id: request.request_id.clone(),
                    traceparent: request.traceparent,
                }),
                ChargeState::Unfinished(error) => {
                    log_unfinished(error, &request.about(), envelope.attempts);
                    self.end(spans, &request.about(), "unknown");
                }
                ChargeState::Superseded => {
                    log::debug!(order_id:% = request.order_id, attempts = envelope.attempts;
                        "dropped: another message of the order is on its way");
                    self.end(spans, &request.about(), "superseded");
                }
                ChargeState::Answered { .. } => {}
            }
            let over =
                matches!(attempt.state, ChargeState::Finished { .. } | ChargeState::Superseded);
            if !over {
                let own = properties(&request.about());
                unfinished.push((attempt.index, Forwarded { to: Destination::Retry, own }));
            }
        }
        if !results.is_empty() {
            self.replies.reply(&results).await;
            for result in &results {
                self.end(spans, &result.about(), outcome(&result.verdict));
            }
        }
        // Only now may other orders take the places of these.
        drop(group);
        unfinished
    }

    fn end(&self, spans: &Mutex<OrderSpans>, order: &About<'_>, outcome: &'static str) {
        let mut spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.end(order.order_id, || self.spans.processed(order, outcome));
    }
}

/// Sends requests back to the retry queues without an attempt.
fn put_off(requests: &[PaymentRequest]) -> Processed {
    let again = |request: &PaymentRequest| {
        Some(Forwarded { to: Destination::Retry, own: properties(&request.about()) })
    };
    Processed::Each(requests.iter().map(again).collect())
}

/// Ids and trace of a request that leaves its pack.
fn properties(about: &About<'_>) -> PartProperties {
    PartProperties {
        message_id: about.order_id.to_string(),
        correlation_id: about.request_id.map(ToString::to_string),
        traceparent: about.traceparent.or(Some(TraceParent::of_order(about.order_id))),
    }
}

fn log_unfinished(error: &ChargeError, about: &About<'_>, attempts: u32) {
    let (order_id, trace_id) = (about.order_id, TraceId(about));
    let request_id = about.request_id.map(RequestId::as_str);
    match error {
        ChargeError::NoVerdict(_) => {
            log::info!(target: ORDER_TARGET, order_id:%, request_id, trace_id:%, attempts, outcome = "unknown";
                "the charge has no verdict and will be asked for again: {error}");
        }
        ChargeError::Store(_) => {
            log::error!(target: ORDER_TARGET, order_id:%, request_id, trace_id:%, attempts;
                "the charge could not be recorded and will be tried again: {error}");
        }
    }
}
