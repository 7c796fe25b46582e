//! Names of span attributes: OpenTelemetry's where it has one, `ordermill.*` otherwise.

/// The method of a request, such as `POST`.
pub const HTTP_METHOD: &str = "http.request.method";
/// The pattern that the path matched.
pub const HTTP_ROUTE: &str = "http.route";
/// The status of the response.
pub const HTTP_STATUS: &str = "http.response.status_code";
/// `http`, also behind a proxy that speaks another scheme.
pub const URL_SCHEME: &str = "url.scheme";
/// The path of the request.
pub const URL_PATH: &str = "url.path";
/// The error, in one word.
pub const ERROR_TYPE: &str = "error.type";

/// The request id, as in `X-Request-ID`.
pub const REQUEST_ID: &str = "ordermill.request.id";
/// The order id.
pub const ORDER_ID: &str = "ordermill.order.id";
/// The outcome, in the same word as in the log line.
pub const OUTCOME: &str = "ordermill.outcome";
/// The number of orders in the batch.
pub const BATCH_SIZE: &str = "ordermill.batch.size";

pub(super) const SYSTEM: &str = "messaging.system";
pub(super) const OPERATION_NAME: &str = "messaging.operation.name";
pub(super) const OPERATION_TYPE: &str = "messaging.operation.type";
pub(super) const DESTINATION: &str = "messaging.destination.name";
pub(super) const ROUTING_KEY: &str = "messaging.rabbitmq.destination.routing_key";
pub(super) const MESSAGE_ID: &str = "messaging.message.id";
pub(super) const CONVERSATION_ID: &str = "messaging.message.conversation_id";
pub(super) const MESSAGE_COUNT: &str = "messaging.batch.message_count";
