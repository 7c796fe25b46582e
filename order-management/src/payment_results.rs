//! The payment results' consumer: decides what becomes of a message.

use common::broker::{Departure, Destination, Handler, Outcome, Received};
use common::message::{Part, PaymentResult, decode_results};
use db::orders::{Settled, Settling};
use futures_util::future::join_all;

use crate::orders::Settlements;

/// Handles payment results.
#[derive(Debug)]
pub(crate) struct PaymentResults {
    pub(crate) settlements: Settlements,
}

impl Handler for PaymentResults {
    /// Settles every order of the message at the same time. What cannot be read, or names an
    /// order that does not exist, leaves for the dead letters.
    async fn handle(&self, message: &Received) -> Outcome {
        let parts = decode_results(&message.body);
        let packed = parts.len() > 1;
        let each = parts.into_iter().map(|part| self.one(part, packed));
        let departures: Vec<Departure> = join_all(each).await.into_iter().flatten().collect();
        if departures.is_empty() { Outcome::Done } else { Outcome::Leave(departures) }
    }
}

impl PaymentResults {
    async fn one(&self, part: Part<'_, PaymentResult>, packed: bool) -> Option<Departure> {
        let (body, result) = (part.bytes, part.read);
        let leave = |message_id, to| Some(Departure { body: body.to_vec(), message_id, to });
        let result = match result {
            Ok(result) => result,
            Err(detail) => return leave(None, Destination::Dead { reason: "unreadable", detail }),
        };
        let own_id = packed.then(|| result.order_id.to_string());
        let settling = Settling { id: result.order_id, verdict: result.verdict };
        match self.settlements.settle(settling).await {
            Ok(Settled::Moved | Settled::Repeated | Settled::Contradicting) => None,
            Ok(Settled::UnknownOrder) => {
                let detail = format!("there is no order {}", result.order_id);
                leave(own_id, Destination::Dead { reason: "unknown_order", detail })
            }
            Err(error) => {
                log::error!(order:% = result.order_id; "will be tried again: {error}");
                leave(own_id, Destination::Retry)
            }
        }
    }
}
