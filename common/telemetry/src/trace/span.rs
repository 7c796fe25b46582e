use std::borrow::Cow;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::SystemTime;

use domain::{OrderId, RequestId, TraceParent};
use opentelemetry::trace::{Link, SpanContext, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, StringValue};
use opentelemetry_sdk::trace::{SpanData, SpanLinks};
use smallvec::SmallVec;
use uuid::Uuid;

use super::names::BATCH_SIZE;

/// Number of attributes that most spans have at most; further ones cost an allocation.
const USUAL_ATTRIBUTES: usize = 9;
/// Maximum number of links of a span, OpenTelemetry's default.
const LINKS_MAX: usize = 128;

/// The name, attributes and status of a span.
///
/// Values stay as they are until the exporter's thread encodes them. A text made by the stage would
/// live for seconds among those of thousands of orders that live for milliseconds, and fragment the
/// allocator's memory.
#[derive(Clone, Debug)]
pub struct SpanRecord {
    kind: SpanKind,
    name: &'static str,
    object: Option<Value>,
    attributes: SmallVec<[(&'static str, Value); USUAL_ATTRIBUTES]>,
    error: Option<Cow<'static, str>>,
}

/// The value of an attribute.
#[derive(Clone, Debug)]
pub enum Value {
    /// A word of our own.
    Word(&'static str),
    /// A shared text.
    Text(Arc<str>),
    /// An order id.
    Id(Uuid),
    /// A request id.
    Request(RequestId),
    /// A number of items.
    Count(i64),
}

impl SpanRecord {
    /// A record without attributes. `name` is the same for all spans of a kind.
    pub fn new(kind: SpanKind, name: &'static str) -> SpanRecord {
        SpanRecord { kind, name, object: None, attributes: SmallVec::new(), error: None }
    }

    /// Work inside this process that went well.
    pub fn done(name: &'static str) -> SpanRecord {
        SpanRecord::new(SpanKind::Internal, name)
    }

    /// A batch of `size` orders that went through a stage.
    pub fn batch(name: &'static str, size: usize) -> SpanRecord {
        SpanRecord::done(name).with(BATCH_SIZE, size)
    }

    /// Adds the object of the work, which becomes the second word of the span's name.
    pub fn to(mut self, object: impl Into<Value>) -> SpanRecord {
        self.object = Some(object.into());
        self
    }

    /// Adds an attribute.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> SpanRecord {
        self.attributes.push((name, value.into()));
        self
    }

    /// Sets the status to *error*.
    pub fn failed(mut self, error: impl Into<Cow<'static, str>>) -> SpanRecord {
        self.error = Some(error.into());
        self
    }

    fn encode_name(&self) -> Cow<'static, str> {
        match &self.object {
            Some(object) => format!("{} {}", self.name, object.encode().as_str()).into(),
            None => self.name.into(),
        }
    }
}

impl Value {
    fn encode(&self) -> opentelemetry::Value {
        let text: StringValue = match self {
            Value::Word(word) => (*word).into(),
            Value::Text(text) => text.clone().into(),
            Value::Id(id) => id.hyphenated().to_string().into(),
            Value::Request(id) => id.to_string().into(),
            Value::Count(count) => return (*count).into(),
        };
        text.into()
    }
}

impl From<&'static str> for Value {
    fn from(word: &'static str) -> Value {
        Value::Word(word)
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Value {
        Value::Text(text)
    }
}

impl From<OrderId> for Value {
    fn from(id: OrderId) -> Value {
        Value::Id(id.0)
    }
}

impl From<&RequestId> for Value {
    fn from(id: &RequestId) -> Value {
        Value::Request(id.clone())
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Value {
        Value::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// A span that has ended and is not encoded yet.
#[derive(Debug)]
pub(super) struct EndedSpan {
    pub(super) context: TraceParent,
    pub(super) parent: Option<NonZeroU64>,
    pub(super) began: SystemTime,
    pub(super) ended: SystemTime,
    pub(super) record: SpanRecord,
    pub(super) links: Vec<TraceParent>,
}

impl EndedSpan {
    /// Encodes the span for an exporter.
    pub(super) fn encode(self, scope: &InstrumentationScope) -> SpanData {
        let EndedSpan { context, parent, began, ended, record, links } = self;
        let name = record.encode_name();
        let attributes = record.attributes.into_iter();
        SpanData {
            span_context: encode_context(context),
            parent_span_id: parent.map_or(0, NonZeroU64::get).into(),
            parent_span_is_remote: matches!(record.kind, SpanKind::Server | SpanKind::Consumer),
            span_kind: record.kind,
            name,
            start_time: began,
            end_time: ended,
            attributes: attributes
                .map(|(name, value)| KeyValue::new(name, value.encode()))
                .collect(),
            dropped_attributes_count: 0,
            events: Default::default(),
            links: encode_links(&links),
            status: record.error.map_or(Status::Unset, Status::error),
            instrumentation_scope: scope.clone(),
        }
    }
}

fn encode_links(links: &[TraceParent]) -> SpanLinks {
    let link = |to: &TraceParent| Link::new(encode_context(*to), Vec::new(), 0);
    let mut encoded = SpanLinks::default();
    encoded.links = links.iter().take(LINKS_MAX).map(link).collect();
    encoded.dropped_count = u32::try_from(links.len().saturating_sub(LINKS_MAX)).unwrap_or(0);
    encoded
}

fn encode_context(context: TraceParent) -> SpanContext {
    let flags = if context.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace_id, span_id) = (context.trace_id().get(), context.span_id().get());
    SpanContext::new(trace_id.into(), span_id.into(), flags, false, TraceState::default())
}

/// The time by the clock of this process.
pub(super) fn now() -> SystemTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "the times of a span are by the clock of its process"
    )]
    SystemTime::now()
}
