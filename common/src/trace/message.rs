use std::borrow::Cow;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;

use super::Told;
use super::names::{
    BATCH_SIZE, CONVERSATION_ID, DESTINATION, ERROR_TYPE, MESSAGE_COUNT, MESSAGE_ID,
    OPERATION_NAME, OPERATION_TYPE, ORDER_ID, OUTCOME, ROUTING_KEY, SYSTEM,
};
use crate::domain::About;

/// The spans about the messages of one queue, in the words of OpenTelemetry's conventions for
/// RabbitMQ.
#[derive(Clone, Debug)]
pub struct MessageSpans {
    destination: String,
    routing_key: String,
}

impl MessageSpans {
    /// For messages that go through `exchange` to the queue under `routing_key`, or come from there.
    pub fn of(exchange: &str, routing_key: &str) -> MessageSpans {
        MessageSpans {
            destination: format!("{exchange}:{routing_key}"),
            routing_key: routing_key.to_owned(),
        }
    }

    /// One order left in a message; an error where the broker has not confirmed it.
    pub fn published(&self, order: &About<'_>, id: &str, error: Option<&'static str>) -> Told {
        let mut told = self.told(SpanKind::Producer, ("publish", "send"), order);
        told.attributes.push(KeyValue::new(MESSAGE_ID, id.to_owned()));
        if let Some(error) = error {
            told.attributes.push(KeyValue::new(ERROR_TYPE, error));
            told.failed = Some(error.into());
        }
        told
    }

    /// One order of a message was worked on, with this outcome.
    pub fn processed(&self, order: &About<'_>, outcome: &'static str) -> Told {
        let mut told = self.told(SpanKind::Consumer, ("process", "process"), order);
        told.attributes.push(KeyValue::new(OUTCOME, outcome));
        told
    }

    /// Messages with so many orders left together.
    pub fn published_batch(&self, messages: usize, orders: usize) -> Told {
        self.batch(SpanKind::Client, ("publish", "send"), (messages, orders))
    }

    /// A message with so many orders was worked on.
    pub fn processed_batch(&self, orders: usize) -> Told {
        self.batch(SpanKind::Consumer, ("process", "process"), (1, orders))
    }

    fn told(&self, kind: SpanKind, operation: (&'static str, &'static str), o: &About<'_>) -> Told {
        let mut attributes = self.attributes(operation);
        attributes.push(KeyValue::new(ORDER_ID, o.order_id.to_string()));
        if let Some(request_id) = o.request_id {
            attributes.push(KeyValue::new(CONVERSATION_ID, request_id.to_string()));
        }
        Told { name: self.name(operation), kind, attributes, failed: None }
    }

    fn batch(
        &self,
        kind: SpanKind,
        operation: (&'static str, &'static str),
        (messages, orders): (usize, usize),
    ) -> Told {
        let mut attributes = self.attributes(operation);
        attributes.push(count(MESSAGE_COUNT, messages));
        attributes.push(count(BATCH_SIZE, orders));
        Told { name: self.name(operation), kind, attributes, failed: None }
    }

    fn name(&self, (operation, _): (&'static str, &'static str)) -> Cow<'static, str> {
        format!("{operation} {}", self.destination).into()
    }

    fn attributes(&self, (name, of_type): (&'static str, &'static str)) -> Vec<KeyValue> {
        vec![
            KeyValue::new(SYSTEM, "rabbitmq"),
            KeyValue::new(OPERATION_NAME, name),
            KeyValue::new(OPERATION_TYPE, of_type),
            KeyValue::new(DESTINATION, self.destination.clone()),
            KeyValue::new(ROUTING_KEY, self.routing_key.clone()),
        ]
    }
}

fn count(name: &'static str, count: usize) -> KeyValue {
    KeyValue::new(name, i64::try_from(count).unwrap_or(i64::MAX))
}
