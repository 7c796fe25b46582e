//! Spans as Zipkin's JSON, version 2 (<https://zipkin.io/zipkin-api/#/default/post_spans>), in
//! OpenTelemetry's mapping
//! (<https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/>).

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use serde::Serialize;

/// The tag with the trace ids of the links: Zipkin has no links.
const LINKS: &str = "ordermill.links";

/// A span in Zipkin's JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ZipkinSpan {
    trace_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    name: String,
    /// Microseconds since 1970.
    timestamp: u64,
    /// Microseconds; at least one.
    duration: u64,
    local_endpoint: Endpoint,
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    service_name: &'static str,
}

impl ZipkinSpan {
    /// The span `span` of the program called `service`.
    pub(super) fn new(span: &SpanData, service: &'static str) -> ZipkinSpan {
        let has_parent = span.parent_span_id != SpanId::INVALID;
        let duration = span.end_time.duration_since(span.start_time).unwrap_or_default();
        ZipkinSpan {
            trace_id: span.span_context.trace_id().to_string(),
            parent_id: has_parent.then(|| span.parent_span_id.to_string()),
            id: span.span_context.span_id().to_string(),
            kind: kind(&span.span_kind),
            name: span.name.to_string(),
            timestamp: micros(span.start_time),
            duration: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1),
            local_endpoint: Endpoint { service_name: service },
            tags: tags(span),
        }
    }
}

fn kind(kind: &SpanKind) -> Option<&'static str> {
    match kind {
        SpanKind::Client => Some("CLIENT"),
        SpanKind::Server => Some("SERVER"),
        SpanKind::Producer => Some("PRODUCER"),
        SpanKind::Consumer => Some("CONSUMER"),
        SpanKind::Internal => None,
    }
}

fn tags(span: &SpanData) -> BTreeMap<String, String> {
    let tag = |pair: &KeyValue| (pair.key.to_string(), pair.value.to_string());
    let mut tags: BTreeMap<String, String> = span.attributes.iter().map(tag).collect();
    if let Status::Error { description } = &span.status {
        tags.insert("otel.status_code".to_owned(), "ERROR".to_owned());
        tags.insert("error".to_owned(), description.to_string());
    }
    if !span.links.is_empty() {
        let ids = span.links.iter().map(|link| link.span_context.trace_id().to_string());
        tags.insert(LINKS.to_owned(), ids.collect::<Vec<_>>().join(","));
    }
    tags
}

fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
