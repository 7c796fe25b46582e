use std::sync::Arc;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use messages::Envelope;
use service::CrashPoint;

use crate::headers::TRACEPARENT;

/// The exchange and routing key of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The exchange.
    pub exchange: String,
    /// The routing key, which is the name of the queue.
    pub routing_key: String,
}

/// AMQP's delivery mode "persistent".
pub(super) const PERSISTENT: u8 = 2;

/// A message on its way out: persistent, mandatory, confirmed.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
    /// Shared by the clones: a message that is published again is not copied.
    pub(super) body: Arc<Vec<u8>>,
    pub(super) properties: BasicProperties,
    /// The crash point behind sending the message.
    pub(super) sent: CrashPoint,
}

impl Outgoing {
    /// A message to `route`, stamped with this process's clock.
    pub fn new(route: &Route, body: Vec<u8>, envelope: &Envelope, sent: CrashPoint) -> Outgoing {
        let mut headers = FieldTable::default();
        if let Some(context) = &envelope.traceparent {
            headers.insert(TRACEPARENT.into(), AMQPValue::LongString(context.to_string().into()));
        }
        let mut properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into())
            .with_message_id(envelope.message_id.as_str().into())
            .with_timestamp(service::unix_seconds())
            .with_headers(headers);
        if let Some(id) = &envelope.correlation_id {
            properties = properties.with_correlation_id(id.as_str().into());
        }
        if let Some(queue) = &envelope.reply_to {
            properties = properties.with_reply_to(queue.as_str().into());
        }
        if let Some(kind) = envelope.kind {
            properties = properties.with_type(kind.into());
        }
        if let Some(app) = envelope.app_id {
            properties = properties.with_app_id(app.into());
        }
        Outgoing {
            exchange: route.exchange.as_str().into(),
            routing_key: route.routing_key.as_str().into(),
            body: Arc::new(body),
            properties,
            sent,
        }
    }

    /// The properties and headers.
    pub fn properties(&self) -> &BasicProperties {
        &self.properties
    }

    pub(super) fn message_id(&self) -> Option<&ShortString> {
        self.properties.message_id().as_ref()
    }
}
