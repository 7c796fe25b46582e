use std::sync::Arc;

use opentelemetry::trace::SpanKind;

use super::names::{
    BATCH_SIZE, CONVERSATION_ID, DESTINATION, ERROR_TYPE, MESSAGE_COUNT, MESSAGE_ID,
    OPERATION_NAME, OPERATION_TYPE, ORDER_ID, OUTCOME, ROUTING_KEY, SYSTEM,
};
use super::{Told, Value};
use crate::domain::About;

/// What is done to messages: OpenTelemetry's name of it and its type.
type Operation = (&'static str, &'static str);

const PUBLISH: Operation = ("publish", "send");
const PROCESS: Operation = ("process", "process");

/// The spans about the messages of one queue, in the words of OpenTelemetry's conventions for
/// RabbitMQ.
#[derive(Clone, Debug)]
pub struct MessageSpans {
    destination: Arc<str>,
    routing_key: Arc<str>,
}

impl MessageSpans {
    /// For messages that go through `exchange` to the queue under `routing_key`, or come from there.
    pub fn of(exchange: &str, routing_key: &str) -> MessageSpans {
        MessageSpans {
            destination: format!("{exchange}:{routing_key}").into(),
            routing_key: routing_key.into(),
        }
    }

    /// What is told of an order whose publish did not get to its end.
    pub fn publishing(&self) -> Told {
        self.told(SpanKind::Producer, PUBLISH)
    }

    /// The same of one that was being worked on.
    pub fn processing(&self) -> Told {
        self.told(SpanKind::Consumer, PROCESS)
    }

    /// One order left in a message; an error where the broker has not confirmed it.
    pub fn published(
        &self,
        order: &About<'_>,
        message_id: impl Into<Value>,
        error: Option<&'static str>,
    ) -> Told {
        let told = self.order(SpanKind::Producer, PUBLISH, order).with(MESSAGE_ID, message_id);
        match error {
            Some(error) => told.with(ERROR_TYPE, error).failed(error),
            None => told,
        }
    }

    /// One order of a message was worked on, with this outcome.
    pub fn processed(&self, order: &About<'_>, outcome: &'static str) -> Told {
        self.order(SpanKind::Consumer, PROCESS, order).with(OUTCOME, outcome)
    }

    /// Messages with so many orders left together.
    pub fn published_batch(&self, messages: usize, orders: usize) -> Told {
        let told = self.told(SpanKind::Client, PUBLISH);
        told.with(MESSAGE_COUNT, messages).with(BATCH_SIZE, orders)
    }

    /// A message with so many orders was worked on.
    pub fn processed_batch(&self, orders: usize) -> Told {
        let told = self.told(SpanKind::Consumer, PROCESS);
        told.with(MESSAGE_COUNT, 1).with(BATCH_SIZE, orders)
    }

    fn order(&self, kind: SpanKind, operation: Operation, order: &About<'_>) -> Told {
        let told = self.told(kind, operation).with(ORDER_ID, order.order_id);
        match order.request_id {
            Some(request_id) => told.with(CONVERSATION_ID, request_id),
            None => told,
        }
    }

    fn told(&self, kind: SpanKind, (name, of_type): Operation) -> Told {
        Told::new(kind, name)
            .to(self.destination.clone())
            .with(SYSTEM, "rabbitmq")
            .with(OPERATION_NAME, name)
            .with(OPERATION_TYPE, of_type)
            .with(DESTINATION, self.destination.clone())
            .with(ROUTING_KEY, self.routing_key.clone())
    }
}
