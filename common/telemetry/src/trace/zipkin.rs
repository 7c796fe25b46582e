//! Spans as Zipkin's JSON, version 2 (<https://zipkin.io/zipkin-api/#/default/post_spans>), mapped as
//! OpenTelemetry says (<https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/>).

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use serde::Serialize;

/// A span as Zipkin reads it.
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

/// Zipkin has no links: those of a batch become a tag with the traces' ids.
const LINKS: &str = "ordermill.links";

pub(super) fn spans(spans: &[SpanData], service: &'static str) -> Vec<ZipkinSpan> {
    spans.iter().map(|span| zipkin(span, service)).collect()
}

fn zipkin(span: &SpanData, service: &'static str) -> ZipkinSpan {
    let kind = match span.span_kind {
        SpanKind::Client => Some("CLIENT"),
        SpanKind::Server => Some("SERVER"),
        SpanKind::Producer => Some("PRODUCER"),
        SpanKind::Consumer => Some("CONSUMER"),
        SpanKind::Internal => None,
    };
    let attribute = |pair: &opentelemetry::KeyValue| (pair.key.to_string(), pair.value.to_string());
    let mut tags: BTreeMap<String, String> = span.attributes.iter().map(attribute).collect();
    if let Status::Error { description } = &span.status {
        tags.insert("otel.status_code".to_owned(), "ERROR".to_owned());
        tags.insert("error".to_owned(), description.to_string());
    }
    if !span.links.is_empty() {
        let ids = span.links.iter().map(|link| link.span_context.trace_id().to_string());
        tags.insert(LINKS.to_owned(), ids.collect::<Vec<_>>().join(","));
    }
    let parent = (span.parent_span_id != SpanId::INVALID).then(|| span.parent_span_id.to_string());
    let took = span.end_time.duration_since(span.start_time).unwrap_or_default();
    ZipkinSpan {
        trace_id: span.span_context.trace_id().to_string(),
        parent_id: parent,
        id: span.span_context.span_id().to_string(),
        kind,
        name: span.name.to_string(),
        timestamp: micros(span.start_time),
        duration: u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1),
        local_endpoint: Endpoint { service_name: service },
        tags,
    }
}

fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
