use domain::TraceParent;

/// What stands around a body, in the terms of AMQP's basic properties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Names the message. It stays the same however often the message is published.
    pub message_id: String,
    /// The id of the HTTP request that caused it.
    pub correlation_id: Option<String>,
    /// Where an answer goes.
    pub reply_to: Option<String>,
    /// What kind of body: `payment_request` or `payment_result`.
    pub kind: Option<&'static str>,
    /// The program that wrote it.
    pub app_id: Option<&'static str>,
    /// The trace it belongs to.
    pub traceparent: Option<TraceParent>,
    /// How often its work was begun before without an end; 0 at first.
    pub attempts: u32,
}
