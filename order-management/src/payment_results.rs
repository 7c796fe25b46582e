//! The payment results' consumer: decides what becomes of a message.

use common::broker::{Departure, Destination, Handler, Outcome, Received};
use common::message::{PaymentResult, decode_results};
use db::Error;
use db::orders::{Settled, Settling};

use crate::orders::Settlements;

/// Handles payment results.
#[derive(Debug)]
pub(crate) struct PaymentResults {
    pub(crate) settlements: Settlements,
}

impl Handler for PaymentResults {
    /// Settles every order of the message, all at once. What cannot be read, or names an order
    /// that does not exist, leaves for the dead letters.
    async fn handle(&self, message: &Received) -> Outcome {
        let parts = decode_results(&message.body);
        let packed = parts.len() > 1;
        let (mut bodies, mut settlings, mut departures) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match part.read {
                Ok(PaymentResult { order_id, verdict, .. }) => {
                    bodies.push(part.bytes);
                    settlings.push(Settling { id: order_id, verdict });
                }
                Err(detail) => {
                    let to = Destination::Dead { reason: "unreadable", detail };
                    departures.push(Departure { body: part.bytes.to_vec(), message_id: None, to });
                }
            }
        }
        let settled = self.settlements.settle(&settlings).await;
        for ((settling, body), settled) in settlings.iter().zip(bodies).zip(settled) {
            if let Some(to) = destination(settling, settled) {
                let message_id = packed.then(|| settling.id.to_string());
                departures.push(Departure { body: body.to_vec(), message_id, to });
            }
        }
        if departures.is_empty() { Outcome::Done } else { Outcome::Leave(departures) }
    }
}

/// Where a result goes that has not settled its order.
fn destination(settling: &Settling, settled: Result<Settled, Error>) -> Option<Destination> {
    let order = settling.id;
    match settled {
        Ok(Settled::Moved { .. } | Settled::Repeated | Settled::Contradicting) => None,
        Ok(Settled::UnknownOrder) => {
            let detail = format!("there is no order {order}");
            Some(Destination::Dead { reason: "unknown_order", detail })
        }
        Err(error) => {
            log::error!(order:%; "will be tried again: {error}");
            Some(Destination::Retry)
        }
    }
}
