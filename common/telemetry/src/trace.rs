//! Spans of the orders on their road, for whoever collects traces.
//!
//! A span is recorded only in a trace that is sampled, and written down when it ends, with the times
//! it took: nothing is looked up and nothing is carried along but the trace's context. With
//! `OTEL_TRACES_EXPORTER=none` it costs a look at a static. What is recorded leaves through a bounded
//! queue; when the collector is away or slow it is dropped and counted, and nobody waits.
//!
//! Names follow OpenTelemetry's conventions: for HTTP
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>, for messages
//! <https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/>.

mod collector;
mod export;
mod message;
mod metrics;
mod names;
mod orders;
mod queue;
mod settings;
mod span;
mod zipkin;

use std::num::{NonZeroU64, NonZeroU128};
use std::time::SystemTime;

use opentelemetry::InstrumentationScope;
pub use opentelemetry::trace::SpanKind;
use opentelemetry::trace::{Link, SpanContext, TraceFlags, TraceState};
use opentelemetry_sdk::trace::{SpanData, SpanLinks};

pub use self::export::{finish, start};
pub use self::message::MessageSpans;
pub use self::names::{
    BATCH_SIZE, ERROR_TYPE, HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, ORDER_ID, OUTCOME, REQUEST_ID,
    URL_PATH, URL_SCHEME,
};
pub use self::orders::OrderSpans;
pub use self::settings::{TraceExporter, TraceSettings};
pub use self::span::{SpanRecord, Value};
use domain::TraceParent;

/// The most links of one span, OpenTelemetry's own default.
const LINKS_MAX: usize = 128;

/// A span that has begun.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    context: TraceParent,
    parent: Option<NonZeroU64>,
    began: SystemTime,
}

/// A span that has ended.
#[derive(Debug)]
struct EndedSpan {
    span: Span,
    ended: SystemTime,
    record: SpanRecord,
    links: Vec<TraceParent>,
}

/// Whether spans are recorded at all.
pub fn is_on() -> bool {
    export::recorder().is_some()
}

/// Begins the first span of this system for a request: in the caller's trace if it brought one, which
/// is then recorded if the caller wants that; otherwise in a trace of its own, as often as
/// `OTEL_TRACES_SAMPLER_ARG` says.
pub fn of_request(client: Option<TraceParent>) -> Option<Span> {
    let recorder = export::recorder()?;
    match client {
        Some(client) => child(Some(client)),
        None => (rand::random::<f64>() < recorder.ratio).then(root),
    }
}

/// Begins a span below `parent`, if its trace is recorded.
pub fn child(parent: Option<TraceParent>) -> Option<Span> {
    let parent = parent.filter(|parent| parent.is_sampled() && is_on())?;
    Some(Span {
        context: parent.with_span(rand::random::<NonZeroU64>()),
        parent: Some(parent.span_id()),
        began: now(),
    })
}

fn root() -> Span {
    let context = TraceParent::recorded(rand::random::<NonZeroU128>(), rand::random());
    Span { context, parent: None, began: now() }
}

impl Span {
    /// The context of whatever this span causes.
    pub fn context(&self) -> TraceParent {
        self.context
    }

    /// Ends it now.
    pub fn end(self, record: SpanRecord) {
        self.end_with(record, Vec::new());
    }

    fn end_with(self, record: SpanRecord, links: Vec<TraceParent>) {
        if let Some(recorder) = export::recorder() {
            recorder.record(EndedSpan { span: self, ended: now(), record, links });
        }
    }
}

impl EndedSpan {
    /// Spelled out, as exporters take it.
    fn into_data(self, scope: &InstrumentationScope) -> SpanData {
        let EndedSpan { span, ended, record, links } = self;
        let mut linked = SpanLinks::default();
        linked.links = links.iter().take(LINKS_MAX).map(|to| link(*to)).collect();
        linked.dropped_count = u32::try_from(links.len().saturating_sub(LINKS_MAX)).unwrap_or(0);
        let (kind, name) = (record.kind(), record.name());
        let (attributes, status) = record.into_attributes();
        SpanData {
            span_context: span_context(span.context),
            parent_span_id: span.parent.map_or(0, NonZeroU64::get).into(),
            parent_span_is_remote: matches!(kind, SpanKind::Server | SpanKind::Consumer),
            span_kind: kind,
            name,
            start_time: span.began,
            end_time: ended,
            attributes,
            dropped_attributes_count: 0,
            events: Default::default(),
            links: linked,
            status,
            instrumentation_scope: scope.clone(),
        }
    }
}

fn link(to: TraceParent) -> Link {
    Link::new(span_context(to), Vec::new(), 0)
}

fn span_context(of: TraceParent) -> SpanContext {
    let flags = if of.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, span) = (of.trace_id().get().into(), of.span_id().get().into());
    SpanContext::new(trace, span, flags, false, TraceState::default())
}

fn now() -> SystemTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "a span's times are those of its process's clock"
    )]
    SystemTime::now()
}
