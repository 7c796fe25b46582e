use std::sync::Arc;

use opentelemetry::trace::SpanKind;

use super::names::{
    BATCH_SIZE, CONVERSATION_ID, DESTINATION, ERROR_TYPE, MESSAGE_COUNT, MESSAGE_ID,
    OPERATION_NAME, OPERATION_TYPE, ORDER_ID, OUTCOME, ROUTING_KEY, SYSTEM,
};
use super::{SpanRecord, Value};
use domain::About;

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

    /// What is record of an order whose publish did not get to its end.
    pub fn publishing(&self) -> SpanRecord {
        self.record(SpanKind::Producer, PUBLISH)
    }

    /// The same of one that was being worked on.
    pub fn processing(&self) -> SpanRecord {
        self.record(SpanKind::Consumer, PROCESS)
    }

    /// One order left in a message; an error where the broker has not confirmed it.
    pub fn published(
        &self,
        order: &About<'_>,
        message_id: impl Into<Value>,
        error: Option<&'static str>,
    ) -> SpanRecord {
        let record = self.order(SpanKind::Producer, PUBLISH, order).with(MESSAGE_ID, message_id);
        match error {
            Some(error) => record.with(ERROR_TYPE, error).failed(error),
            None => record,
        }
    }

    /// One order of a message was worked on, with this outcome.
    pub fn processed(&self, order: &About<'_>, outcome: &'static str) -> SpanRecord {
        self.order(SpanKind::Consumer, PROCESS, order).with(OUTCOME, outcome)
    }

    /// Messages with so many orders left together.
    pub fn published_batch(&self, messages: usize, orders: usize) -> SpanRecord {
        let record = self.record(SpanKind::Client, PUBLISH);
        record.with(MESSAGE_COUNT, messages).with(BATCH_SIZE, orders)
    }

    /// A message with so many orders was worked on.
    pub fn processed_batch(&self, orders: usize) -> SpanRecord {
        let record = self.record(SpanKind::Consumer, PROCESS);
        record.with(MESSAGE_COUNT, 1).with(BATCH_SIZE, orders)
    }

    fn order(&self, kind: SpanKind, operation: Operation, order: &About<'_>) -> SpanRecord {
        let record = self.record(kind, operation).with(ORDER_ID, order.order_id);
        match order.request_id {
            Some(request_id) => record.with(CONVERSATION_ID, request_id),
            None => record,
        }
    }

    fn record(&self, kind: SpanKind, (name, of_type): Operation) -> SpanRecord {
        SpanRecord::new(kind, name)
            .to(self.destination.clone())
            .with(SYSTEM, "rabbitmq")
            .with(OPERATION_NAME, name)
            .with(OPERATION_TYPE, of_type)
            .with(DESTINATION, self.destination.clone())
            .with(ROUTING_KEY, self.routing_key.clone())
    }
}
