use domain::TraceParent;

/// Properties and headers of a message, named after AMQP's basic properties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Id of the message, the same for every publish of the message.
    pub message_id: String,
    /// Id of the HTTP request that caused the message.
    pub correlation_id: Option<String>,
    /// Queue for the answer.
    pub reply_to: Option<String>,
    /// Kind of the body: `payment_request` or `payment_result`.
    pub kind: Option<&'static str>,
    /// Program that published the message.
    pub app_id: Option<&'static str>,
    /// Trace of the message.
    pub traceparent: Option<TraceParent>,
    /// Number of earlier attempts that began and did not end; 0 at first.
    pub attempts: u32,
}
