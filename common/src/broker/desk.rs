//! What happens to one delivery between its arrival and its ack.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, ShortString};

use super::departure::{ATTEMPTS, Departure, Destination, PANICS, TRACEPARENT, number, short};
use super::publisher::Publisher;
use super::topology::WorkQueue;
use crate::message::Envelope;
use crate::runtime::{Consuming, CrashPoint, crash_point};

/// A reader that panicked this often over a message gets it no more.
const PANICS_MAX: i64 = 3;
/// The longest wait before a message goes back to a queue without a ladder.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A message as its handler sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The body.
    pub body: Vec<u8>,
    /// What stands around it.
    pub envelope: Envelope,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All that it asked for is durable: ack.
    Done,
    /// These parts of it go elsewhere, all the rest is done: publish them, then ack.
    Leave(Vec<Departure>),
    /// Nothing was begun, and the process stops: somebody else may have it.
    Back,
}

/// What a delivery is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is over.
    Ack,
    /// It goes back to its queue.
    Back,
}

/// Does what a message asks for.
pub trait Handler: Send + Sync + 'static {
    /// Comes back only with something durable. It may take as long as it likes, and it may be
    /// dropped at any await: the message is then delivered again.
    fn handle(&self, message: &Received) -> impl Future<Output = Outcome> + Send;
}

/// What handling one delivery takes.
pub(super) struct Desk<H> {
    pub(super) handler: H,
    pub(super) queue: WorkQueue,
    pub(super) publisher: Publisher,
    pub(super) numbers: Consuming,
}

impl<H: Handler> Desk<H> {
    /// Returns once the delivery may be answered.
    pub(super) async fn handle(&self, body: Vec<u8>, mut properties: BasicProperties) -> Fate {
        crash_point::reach(CrashPoint::Received);
        let message = Received { body, envelope: envelope(&properties) };
        let handled = AssertUnwindSafe(self.handler.handle(&message)).catch_unwind().await;
        let departures = match handled {
            Ok(Outcome::Done) => return Fate::Ack,
            Ok(Outcome::Back) => return Fate::Back,
            Ok(Outcome::Leave(departures)) => departures,
            Err(_) => vec![self.after_panic(message.clone(), &mut properties)],
        };
        let leave = departures.iter().map(|departure| async {
            self.pause(departure, &properties).await;
            crash_point::reach(departure.to.begun());
            self.publisher
                .publish_until_confirmed(&departure.outgoing(&self.queue, &properties))
                .await;
            crash_point::reach(departure.to.confirmed());
            self.count(departure, &message.envelope);
        });
        join_all(leave).await;
        Fate::Ack
    }

    /// A queue without a ladder gets its message back at once, so the wait is here.
    async fn pause(&self, departure: &Departure, properties: &BasicProperties) {
        if departure.to == Destination::Retry && self.queue.retry_delays.is_empty() {
            let attempts = u64::from(envelope(properties).attempts) + 1;
            tokio::time::sleep(Duration::from_secs(attempts).min(PAUSE_MAX)).await;
        }
    }

    /// A panic may pass or may not: the message is tried again, but not for ever.
    fn after_panic(&self, message: Received, properties: &mut BasicProperties) -> Departure {
        let mut headers = properties.headers().clone().unwrap_or_default();
        let panics = number(&headers, PANICS).saturating_add(1);
        headers.insert(PANICS.into(), AMQPValue::LongLongInt(panics));
        *properties = properties.clone().with_headers(headers);
        let to = if panics < PANICS_MAX {
            Destination::Retry
        } else {
            Destination::Dead { reason: "reader_panicked", detail: "see the log".to_owned() }
        };
        let departure = Departure { body: message.body, own: None, to };
        let (message_id, request_id, trace_id) = names(&departure, &message.envelope);
        log::error!(queue = self.queue.name, panics, message_id, request_id, trace_id;
            "the reader panicked over a message");
        departure
    }

    fn count(&self, departure: &Departure, envelope: &Envelope) {
        match &departure.to {
            Destination::Retry => {
                self.numbers.retries.inc();
            }
            Destination::Dead { reason, detail } => {
                let (queue, reason) = (&self.queue.name, *reason);
                let (message_id, request_id, trace_id) = names(departure, envelope);
                log::warn!(queue, reason, message_id, request_id, trace_id; "message dead-lettered: {}", short(detail));
                self.numbers.parked(reason);
            }
        }
    }
}

/// What a line about a departure names: message, request and trace; empty where nobody said.
fn names<'a>(departure: &'a Departure, envelope: &'a Envelope) -> (&'a str, &'a str, String) {
    let own = departure.own.as_ref();
    let message_id = own.map_or(envelope.message_id.as_str(), |own| &own.message_id);
    let request_id = own.and_then(|own| own.correlation_id.as_deref());
    let request_id = request_id.or(envelope.correlation_id.as_deref()).unwrap_or_default();
    let trace = own.and_then(|own| own.traceparent).or(envelope.traceparent);
    let trace_id = trace.map(|trace| format!("{:032x}", trace.trace_id())).unwrap_or_default();
    (message_id, request_id, trace_id)
}

/// What of a message's properties is read. Whatever cannot be read is as if it were not there.
pub fn envelope(properties: &BasicProperties) -> Envelope {
    let text = |field: &Option<ShortString>| field.as_ref().map(ToString::to_string);
    let headers = properties.headers().clone().unwrap_or_default();
    let attempts = number(&headers, ATTEMPTS).clamp(0, i64::from(u32::MAX));
    let traceparent = match headers.inner().get(TRACEPARENT) {
        Some(AMQPValue::LongString(value)) => value.to_string().parse().ok(),
        _ => None,
    };
    Envelope {
        message_id: text(properties.message_id()).unwrap_or_default(),
        correlation_id: text(properties.correlation_id()),
        reply_to: text(properties.reply_to()),
        kind: None,
        app_id: None,
        traceparent,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
    }
}
