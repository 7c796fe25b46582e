//! Zipkin's JSON, version 2 (<https://zipkin.io/zipkin-api/#/default/post_spans>). Strict: an
//! unknown field, or a missing one that the description requires, is an error.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::span::Collected;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Span {
    trace_id: String,
    parent_id: Option<String>,
    id: String,
    kind: Option<Kind>,
    name: String,
    timestamp: u64,
    duration: u64,
    local_endpoint: Endpoint,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Kind {
    Client,
    Server,
    Producer,
    Consumer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Endpoint {
    service_name: String,
}

pub(super) fn read(body: &[u8]) -> Result<Vec<Collected>> {
    let spans: Vec<Span> = serde_json::from_slice(body).context("not Zipkin's JSON")?;
    spans.into_iter().map(of).collect()
}

fn of(span: Span) -> Result<Collected> {
    let ids = [(&span.trace_id, 32), (&span.id, 16)];
    for (id, digits) in ids.into_iter().chain(span.parent_id.iter().map(|id| (id, 16))) {
        let hex = id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        ensure!(hex && id.len() == digits, "{id:?} is not an id of {digits} digits");
    }
    ensure!(span.duration > 0, "a duration of 0");
    let began = span.timestamp * 1000;
    Ok(Collected {
        service: span.local_endpoint.service_name,
        trace_id: span.trace_id,
        span_id: span.id,
        parent_id: span.parent_id,
        name: span.name,
        kind: match span.kind {
            Some(Kind::Client) => "CLIENT",
            Some(Kind::Server) => "SERVER",
            Some(Kind::Producer) => "PRODUCER",
            Some(Kind::Consumer) => "CONSUMER",
            None => "INTERNAL",
        },
        times: (began, began + span.duration * 1000),
        failed: span.tags.contains_key("error"),
        attributes: span.tags,
        links: Vec::new(),
    })
}
