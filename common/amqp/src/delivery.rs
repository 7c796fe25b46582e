//! The processing of one delivery, from its arrival until it may be acked.
//!
//! One rule ties a message to its ack: a handler returns only once its effect is durable.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, ShortString};
use messages::Envelope;
use service::crash_point;

use crate::crash_points;
use crate::forward::{Destination, Forward, short};
use crate::headers::{ATTEMPTS, PANICS, TRACEPARENT, number, unreadable};
use crate::metrics::ConsumerMetrics;
use crate::publisher::Publisher;
use crate::topology::WorkQueue;

/// Number of panics of a handler over one message, after which it is dead-lettered.
const PANICS_MAX: i64 = 3;
/// Longest pause before a message returns to a queue without retry queues.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A message as its handler receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingMessage {
    /// The body.
    pub body: Vec<u8>,
    /// The properties and headers that are read.
    pub envelope: Envelope,
}

/// The result of handling a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handled {
    /// The effect of the message is durable: ack.
    Ack,
    /// These parts of the message go elsewhere, the effect of the others is durable: publish, then ack.
    Forward(Vec<Forward>),
    /// The handler started nothing, and the process stops: requeue for another consumer.
    Requeue,
}

/// The answer to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The message is done with.
    Ack,
    /// The message returns to its queue.
    Requeue,
}

/// The handler of a work queue's messages.
pub trait MessageHandler: Send + Sync + 'static {
    /// Returns only once its effect is durable. It may take any time, and may be dropped at any
    /// await: the message is then delivered again.
    fn handle(&self, message: &IncomingMessage) -> impl Future<Output = Handled> + Send;

    /// Called once the broker has confirmed the copies of what the handler forwards, before the message
    /// is acked. It may be dropped at any await, as [`MessageHandler::handle`].
    fn forwarded(
        &self,
        _message: &IncomingMessage,
        _forwards: &[Forward],
    ) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// The handler of a queue's deliveries.
pub trait DeliveryHandler: Send + Sync + 'static {
    /// Returns once the delivery may be answered.
    fn handle(
        &self,
        body: Vec<u8>,
        properties: BasicProperties,
    ) -> impl Future<Output = Disposition> + Send;
}

/// A [`MessageHandler`] with the way out for what it forwards.
pub(crate) struct DeliveryProcessor<H> {
    pub(crate) handler: H,
    pub(crate) queue: WorkQueue,
    pub(crate) publisher: Publisher,
    pub(crate) metrics: ConsumerMetrics,
}

impl<H: MessageHandler> DeliveryHandler for DeliveryProcessor<H> {
    async fn handle(&self, body: Vec<u8>, mut properties: BasicProperties) -> Disposition {
        crash_point::reach(crash_points::RECEIVED);
        let unreadable = properties.headers().as_ref().and_then(unreadable);
        let message = IncomingMessage { body, envelope: envelope(&properties) };
        let handled = match unreadable {
            Some(detail) => Ok(Handled::Forward(vec![dead_letter(message.body.clone(), detail)])),
            None => AssertUnwindSafe(self.handler.handle(&message)).catch_unwind().await,
        };
        let forwards = match handled {
            Ok(Handled::Ack) => return Disposition::Ack,
            Ok(Handled::Requeue) => return Disposition::Requeue,
            Ok(Handled::Forward(forwards)) => forwards,
            Err(_) => vec![self.after_panic(message.clone(), &mut properties)],
        };
        let leave = forwards.iter().map(|forward| async {
            self.pause(forward, &properties).await;
            crash_point::reach(forward.to.begun());
            self.publisher
                .publish_until_confirmed(&forward.outgoing(&self.queue, &properties))
                .await;
            crash_point::reach(forward.to.confirmed());
            self.count(forward, &message.envelope);
        });
        join_all(leave).await;
        self.handler.forwarded(&message, &forwards).await;
        Disposition::Ack
    }
}

impl<H: MessageHandler> DeliveryProcessor<H> {
    /// Pauses before a message returns to a queue without retry queues, which delivers it at once.
    async fn pause(&self, forward: &Forward, properties: &BasicProperties) {
        if forward.to == Destination::Retry && self.queue.retry_delays.is_empty() {
            let attempts = u64::from(envelope(properties).attempts) + 1;
            tokio::time::sleep(Duration::from_secs(attempts).min(PAUSE_MAX)).await;
        }
    }

    /// A panic may be transient: the message is retried, but not for ever.
    fn after_panic(&self, message: IncomingMessage, properties: &mut BasicProperties) -> Forward {
        let mut headers = properties.headers().clone().unwrap_or_default();
        let panics = number(&headers, PANICS).saturating_add(1);
        headers.insert(PANICS.into(), AMQPValue::LongLongInt(panics));
        *properties = properties.clone().with_headers(headers);
        let to = if panics < PANICS_MAX {
            Destination::Retry
        } else {
            Destination::Dead { reason: "reader_panicked", detail: "see the log".to_owned() }
        };
        let forward = Forward { body: message.body, own: None, part: None, to };
        let (message_id, request_id, trace_id) = names(&forward, &message.envelope);
        log::error!(queue = self.queue.name, panics, message_id, request_id, trace_id;
            "the handler panicked over a message");
        forward
    }

    fn count(&self, forward: &Forward, envelope: &Envelope) {
        match &forward.to {
            Destination::Retry => {
                self.metrics.retries.inc();
            }
            Destination::Dead { reason, detail } => {
                let (queue, reason) = (&self.queue.name, *reason);
                let (message_id, request_id, trace_id) = names(forward, envelope);
                log::warn!(queue, reason, message_id, request_id, trace_id; "message dead-lettered: {}", short(detail));
                self.metrics.dead_lettered(reason);
            }
        }
    }
}

/// A message whose properties could not be read, on its way to the dead-letter queue.
fn dead_letter(body: Vec<u8>, detail: String) -> Forward {
    let to = Destination::Dead { reason: "unreadable", detail };
    Forward { body, own: None, part: None, to }
}

/// Message, request and trace of a log line about a forward; empty where they are unknown.
fn names<'a>(forward: &'a Forward, envelope: &'a Envelope) -> (&'a str, &'a str, String) {
    let own = forward.own.as_ref();
    let message_id = own.map_or(envelope.message_id.as_str(), |own| &own.message_id);
    let request_id = own.and_then(|own| own.correlation_id.as_deref());
    let request_id = request_id.or(envelope.correlation_id.as_deref()).unwrap_or_default();
    let trace = own.and_then(|own| own.traceparent).or(envelope.traceparent);
    let trace_id = trace.map(|trace| format!("{:032x}", trace.trace_id())).unwrap_or_default();
    (message_id, request_id, trace_id)
}

/// The properties that this system reads. An unreadable one counts as absent.
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
