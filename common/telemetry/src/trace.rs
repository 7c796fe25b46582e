//! Spans of the orders on their way through the pipeline, exported to a trace collector.
//!
//! A span is recorded when it ends, with its start and end time, and only in a trace that is
//! sampled; its context travels with the order as a [`TraceParent`](domain::TraceParent). With
//! `OTEL_TRACES_EXPORTER=none` a span costs one read of a static. Recorded spans wait in a bounded
//! queue for the exporter's thread; a span that finds the queue full is dropped and counted, and no
//! caller waits.
//!
//! Names follow OpenTelemetry's conventions: for HTTP
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>, for messages
//! <https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/>.

mod active_span;
mod collector;
mod exporter;
mod message;
mod metrics;
mod names;
mod orders;
mod recorder;
mod settings;
mod span;
mod zipkin;

pub use opentelemetry::trace::SpanKind;

pub use self::active_span::{Span, child, is_on, of_request};
pub use self::message::MessageSpans;
pub use self::names::{
    BATCH_SIZE, ERROR_TYPE, HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, ORDER_ID, OUTCOME, REQUEST_ID,
    URL_PATH, URL_SCHEME,
};
pub use self::orders::OrderSpans;
pub use self::recorder::{finish, start};
pub use self::settings::{TraceExporter, TraceSettings};
pub use self::span::{SpanRecord, Value};
