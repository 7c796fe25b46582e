use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{KeyValue, StringValue};
use smallvec::SmallVec;
use uuid::Uuid;

use super::names::BATCH_SIZE;
use domain::{OrderId, RequestId};

/// As many attributes as most spans have.
const USUAL: usize = 9;

/// What a span tells at its end.
///
/// It is written down as it is and encode out where spans leave. A text that was made here and
/// lived until then would lie between those of thousands of orders that come and go meanwhile, and
/// have the allocator look for room in pieces.
#[derive(Clone, Debug)]
pub struct SpanRecord {
    kind: SpanKind,
    name: &'static str,
    object: Option<Value>,
    attributes: SmallVec<[(&'static str, Value); USUAL]>,
    failed: Option<Cow<'static, str>>,
}

/// What an attribute says.
#[derive(Clone, Debug)]
pub enum Value {
    /// One of our own words.
    Word(&'static str),
    /// A text that others hold too.
    Text(Arc<str>),
    /// An order's id.
    Id(Uuid),
    /// A request's id.
    Request(RequestId),
    /// How many.
    Count(i64),
}

impl SpanRecord {
    /// Nothing but what was done, the same for all of a kind, and who asked whom.
    pub fn new(kind: SpanKind, name: &'static str) -> SpanRecord {
        SpanRecord { kind, name, object: None, attributes: SmallVec::new(), failed: None }
    }

    /// Something that went well, inside of this process.
    pub fn done(name: &'static str) -> SpanRecord {
        SpanRecord::new(SpanKind::Internal, name)
    }

    /// So many went through a station together.
    pub fn batch(name: &'static str, size: usize) -> SpanRecord {
        SpanRecord::done(name).with(BATCH_SIZE, size)
    }

    /// What it was done to: the second word of the name.
    pub fn to(mut self, object: impl Into<Value>) -> SpanRecord {
        self.object = Some(object.into());
        self
    }

    /// One attribute more.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> SpanRecord {
        self.attributes.push((name, value.into()));
        self
    }

    /// It ended as it should not.
    pub fn failed(mut self, why: impl Into<Cow<'static, str>>) -> SpanRecord {
        self.failed = Some(why.into());
        self
    }

    pub(super) fn kind(&self) -> SpanKind {
        self.kind.clone()
    }

    pub(super) fn name(&self) -> Cow<'static, str> {
        match &self.object {
            Some(object) => format!("{} {}", self.name, object.encode().as_str()).into(),
            None => self.name.into(),
        }
    }

    pub(super) fn into_attributes(self) -> (Vec<KeyValue>, Status) {
        let encode = |(name, value): (&'static str, Value)| KeyValue::new(name, value.encode());
        let attributes = self.attributes.into_iter().map(encode).collect();
        (attributes, self.failed.map_or(Status::Unset, Status::error))
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
