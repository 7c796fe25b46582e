use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use super::departure::TRACEPARENT;
use crate::message::Envelope;
use crate::runtime::CrashPoint;

/// AMQP's number for "store it on disk".
pub(super) const PERSISTENT: u8 = 2;

/// A message on its way out: persistent, mandatory, confirmed.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
    pub(super) body: Vec<u8>,
    pub(super) properties: BasicProperties,
}

impl Outgoing {
    /// Through `exchange` under `routing_key`, stamped with this process's clock.
    pub fn new(exchange: &str, routing_key: &str, body: Vec<u8>, envelope: &Envelope) -> Outgoing {
        let mut headers = FieldTable::default();
        if let Some(context) = &envelope.traceparent {
            headers.insert(TRACEPARENT.into(), AMQPValue::LongString(context.to_string().into()));
        }
        let mut properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into())
            .with_message_id(envelope.message_id.as_str().into())
            .with_timestamp(crate::runtime::unix_seconds())
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
        Outgoing { exchange: exchange.into(), routing_key: routing_key.into(), body, properties }
    }

    /// The step of the road that sending it is.
    pub(super) fn sent(&self) -> CrashPoint {
        let kind = self.properties.kind().as_ref().map(ShortString::as_str);
        match self.exchange.as_str() {
            "" if self.routing_key.as_str().ends_with(".dead") => CrashPoint::ParkSent,
            "" => CrashPoint::RetrySent,
            _ if kind == Some("payment_request") => CrashPoint::RelaySent,
            _ => CrashPoint::ReplySent,
        }
    }

    /// What stands around the body.
    pub fn properties(&self) -> &BasicProperties {
        &self.properties
    }

    pub(super) fn message_id(&self) -> Option<&ShortString> {
        self.properties.message_id().as_ref()
    }
}
