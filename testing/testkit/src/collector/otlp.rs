//! OTLP, by its published definitions
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).

use anyhow::{Context, Result};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;

use super::span::Collected;

pub(super) fn read(body: &[u8]) -> Result<Vec<Collected>> {
    let request = ExportTraceServiceRequest::decode(body).context("not OTLP")?;
    let mut collected = Vec::new();
    for of_resource in request.resource_spans {
        let attributes = of_resource.resource.map(|resource| resource.attributes);
        let service = attributes.iter().flatten().find(|pair| pair.key == "service.name");
        let service = service.map(|pair| text(pair.value.as_ref())).unwrap_or_default();
        let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        collected.extend(spans.map(|span| of(span, &service)));
    }
    Ok(collected)
}

fn of(span: Span, service: &str) -> Collected {
    let kind = match span.kind() {
        SpanKind::Server => "SERVER",
        SpanKind::Client => "CLIENT",
        SpanKind::Producer => "PRODUCER",
        SpanKind::Consumer => "CONSUMER",
        SpanKind::Internal => "INTERNAL",
        SpanKind::Unspecified => "UNSPECIFIED",
    };
    let pair = |pair: &KeyValue| (pair.key.clone(), text(pair.value.as_ref()));
    Collected {
        service: service.to_owned(),
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent_id: Some(hex(&span.parent_span_id)).filter(|id| !id.is_empty()),
        kind,
        times: (span.start_time_unix_nano, span.end_time_unix_nano),
        attributes: span.attributes.iter().map(pair).collect(),
        links: span.links.iter().map(|l| (hex(&l.trace_id), hex(&l.span_id))).collect(),
        failed: span.status.is_some_and(|status| status.code() == StatusCode::Error),
        name: span.name,
    }
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
