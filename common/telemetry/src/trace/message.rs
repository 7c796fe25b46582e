//! Spans about messages, by OpenTelemetry's conventions for RabbitMQ.

use std::sync::Arc;

use domain::About;
use opentelemetry::trace::SpanKind;

use super::names::{
    BATCH_SIZE, CONVERSATION_ID, DESTINATION, ERROR_TYPE, MESSAGE_COUNT, MESSAGE_ID,
    OPERATION_NAME, OPERATION_TYPE, ORDER_ID, OUTCOME, ROUTING_KEY, SYSTEM,
};
use super::span::{SpanRecord, Value};

/// A messaging operation, in OpenTelemetry's words.
#[derive(Clone, Copy)]
struct Operation {
    name: &'static str,
    kind: &'static str,
}

const PUBLISH: Operation = Operation { name: "publish", kind: "send" };
const PROCESS: Operation = Operation { name: "process", kind: "process" };

/// The records of spans about the messages of one queue.
#[derive(Clone, Debug)]
pub struct MessageSpans {
    destination: Arc<str>,
    routing_key: Arc<str>,
}

impl MessageSpans {
    /// Spans about messages that reach a queue through `exchange` under `routing_key`.
    pub fn of(exchange: &str, routing_key: &str) -> MessageSpans {
        MessageSpans {
            destination: format!("{exchange}:{routing_key}").into(),
            routing_key: routing_key.into(),
        }
    }

    /// The publish of an order that was abandoned before its end.
    pub fn publishing(&self) -> SpanRecord {
        self.record(SpanKind::Producer, PUBLISH)
    }

    /// The work on an order that was abandoned before its end.
    pub fn processing(&self) -> SpanRecord {
        self.record(SpanKind::Consumer, PROCESS)
    }

    /// The publish of one order; an error if the broker did not confirm the message.
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

    /// The work on one order of a message, with its outcome.
    pub fn processed(&self, order: &About<'_>, outcome: &'static str) -> SpanRecord {
        self.order(SpanKind::Consumer, PROCESS, order).with(OUTCOME, outcome)
    }

    /// The publish of `messages` messages with `orders` orders in all.
    pub fn published_batch(&self, messages: usize, orders: usize) -> SpanRecord {
        let record = self.record(SpanKind::Client, PUBLISH);
        record.with(MESSAGE_COUNT, messages).with(BATCH_SIZE, orders)
    }

    /// The work on one message with `orders` orders.
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

    fn record(&self, kind: SpanKind, operation: Operation) -> SpanRecord {
        SpanRecord::new(kind, operation.name)
            .to(self.destination.clone())
            .with(SYSTEM, "rabbitmq")
            .with(OPERATION_NAME, operation.name)
            .with(OPERATION_TYPE, operation.kind)
            .with(DESTINATION, self.destination.clone())
            .with(ROUTING_KEY, self.routing_key.clone())
    }
}
