//! The attributes of spans. Where OpenTelemetry has a name, it is that one.

/// `POST` and so on.
pub const HTTP_METHOD: &str = "http.request.method";
/// The pattern that the path matched.
pub const HTTP_ROUTE: &str = "http.route";
/// The status of the answer.
pub const HTTP_STATUS: &str = "http.response.status_code";
/// `http`: whatever stands in front of us may speak something else.
pub const URL_SCHEME: &str = "url.scheme";
/// The path as it was asked for.
pub const URL_PATH: &str = "url.path";
/// What went wrong, in one word.
pub const ERROR_TYPE: &str = "error.type";

/// Ours: the request's id, as in `X-Request-ID`.
pub const REQUEST_ID: &str = "ordermill.request.id";
/// Ours: the order's id.
pub const ORDER_ID: &str = "ordermill.order.id";
/// Ours: how it ended, in the word that the log line has.
pub const OUTCOME: &str = "ordermill.outcome";
/// Ours: how many went through together.
pub const BATCH_SIZE: &str = "ordermill.batch.size";

pub(super) const SYSTEM: &str = "messaging.system";
pub(super) const OPERATION_NAME: &str = "messaging.operation.name";
pub(super) const OPERATION_TYPE: &str = "messaging.operation.type";
pub(super) const DESTINATION: &str = "messaging.destination.name";
pub(super) const ROUTING_KEY: &str = "messaging.rabbitmq.destination.routing_key";
pub(super) const MESSAGE_ID: &str = "messaging.message.id";
pub(super) const CONVERSATION_ID: &str = "messaging.message.conversation_id";
pub(super) const MESSAGE_COUNT: &str = "messaging.batch.message_count";
