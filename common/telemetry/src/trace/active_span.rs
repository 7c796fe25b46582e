use std::num::{NonZeroU64, NonZeroU128};
use std::time::SystemTime;

use domain::TraceParent;

use super::recorder::recorder;
use super::span::{EndedSpan, SpanRecord, now};

/// A span that has begun.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    context: TraceParent,
    parent: Option<NonZeroU64>,
    began: SystemTime,
}

/// Returns true if this process records spans.
pub fn is_on() -> bool {
    recorder().is_some()
}

/// Begins the first span for a request. With the caller's trace context, the span is in the
/// caller's trace, and recorded if the context says so; otherwise it is in a new trace, and
/// recorded with the probability of `OTEL_TRACES_SAMPLER_ARG`.
pub fn of_request(client: Option<TraceParent>) -> Option<Span> {
    let recorder = recorder()?;
    match client {
        Some(client) => child(Some(client)),
        None => (rand::random::<f64>() < recorder.ratio()).then(Span::root),
    }
}

/// Begins a span below `parent`, if the trace of `parent` is recorded.
pub fn child(parent: Option<TraceParent>) -> Option<Span> {
    let parent = parent.filter(|parent| parent.is_sampled() && is_on())?;
    Some(Span {
        context: parent.with_span(rand::random::<NonZeroU64>()),
        parent: Some(parent.span_id()),
        began: now(),
    })
}

impl Span {
    /// Begins the first span of a new trace.
    pub(super) fn root() -> Span {
        let context = TraceParent::recorded(rand::random::<NonZeroU128>(), rand::random());
        Span { context, parent: None, began: now() }
    }

    /// The trace context for work that this span causes.
    pub fn context(&self) -> TraceParent {
        self.context
    }

    /// Ends the span now.
    pub fn end(self, record: SpanRecord) {
        self.end_with_links(record, Vec::new());
    }

    /// Ends the span now, with links to other spans.
    pub(super) fn end_with_links(self, record: SpanRecord, links: Vec<TraceParent>) {
        let Some(recorder) = recorder() else { return };
        let Span { context, parent, began } = self;
        recorder.record(EndedSpan { context, parent, began, ended: now(), record, links });
    }
}
