//! The payment requests' consumer: decides what becomes of a message.

use common::broker::{Departure, Destination, Handler, Outcome, Received};
use common::message::{Envelope, Part, PaymentRequest, PaymentResult, decode_requests};
use futures_util::future::join_all;

use crate::charge::{ChargeError, Charges};
use crate::reply::{Replies, Reply};

/// Handles payment requests.
#[derive(Debug)]
pub(crate) struct PaymentRequests {
    pub(crate) charges: Charges,
    pub(crate) replies: Replies,
}

impl Handler for PaymentRequests {
    /// Charges every order of the message at the same time. One that has no verdict leaves for
    /// the delay ladder, one that cannot be read for the dead letters; the others are replied to.
    async fn handle(&self, message: &Received) -> Outcome {
        let parts = decode_requests(&message.body);
        let packed = parts.len() > 1;
        let each = parts.into_iter().map(|part| self.one(part, &message.envelope, packed));
        let departures: Vec<Departure> = join_all(each).await.into_iter().flatten().collect();
        if departures.is_empty() { Outcome::Done } else { Outcome::Leave(departures) }
    }
}

impl PaymentRequests {
    async fn one(
        &self,
        part: Part<'_, PaymentRequest>,
        envelope: &Envelope,
        packed: bool,
    ) -> Option<Departure> {
        let (body, request) = (part.bytes, part.read);
        let leave = |message_id, to| Some(Departure { body: body.to_vec(), message_id, to });
        let mut request = match request {
            Ok(request) => request,
            Err(detail) => return leave(None, Destination::Dead { reason: "unreadable", detail }),
        };
        if request.request_id.is_none() {
            request.request_id = envelope.correlation_id.as_ref().and_then(|id| id.parse().ok());
        }
        match self.charges.charge(&request).await {
            Ok(charged) => {
                let result = PaymentResult {
                    order_id: request.order_id,
                    verdict: charged.verdict,
                    payment_id: Some(charged.payment_id.to_string()),
                    request_id: request.request_id,
                };
                self.replies
                    .reply(Reply { result, traceparent: envelope.traceparent.clone() })
                    .await;
                None
            }
            Err(error) => {
                note(&error, &request, envelope.attempts);
                leave(packed.then(|| request.order_id.to_string()), Destination::Retry)
            }
        }
    }
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
