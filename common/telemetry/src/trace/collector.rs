//! The collector of spans, behind OTLP or Zipkin's JSON.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use reqwest::redirect::Policy;

use super::settings::TraceExporter;
use super::zipkin::ZipkinSpan;

/// Timeout of one request to the collector.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The collector of spans.
#[derive(Debug)]
pub(super) enum Collector {
    Otlp(Box<SpanExporter>),
    Zipkin { http: reqwest::Client, url: String, service: &'static str },
}

impl Collector {
    /// The collector of the settings, for the program called `service`; `None` if the settings name
    /// no collector. Nothing is sent yet.
    ///
    /// # Errors
    /// If the HTTP client cannot be built.
    pub(super) fn new(
        exporter: &TraceExporter,
        service: &'static str,
    ) -> Result<Option<Collector>, String> {
        match exporter {
            TraceExporter::None => Ok(None),
            TraceExporter::Zipkin(url) => {
                Ok(Some(Collector::Zipkin { http: http_client()?, url: url.clone(), service }))
            }
            TraceExporter::Otlp(url) => {
                let exporter = SpanExporter::builder()
                    .with_http()
                    .with_http_client(http_client()?)
                    .with_endpoint(url)
                    .with_protocol(Protocol::HttpBinary)
                    .with_timeout(REQUEST_TIMEOUT)
                    .build();
                let mut exporter = exporter.map_err(|error| error.to_string())?;
                exporter.set_resource(&resource(service));
                Ok(Some(Collector::Otlp(Box::new(exporter))))
            }
        }
    }

    /// Sends `spans` once.
    ///
    /// # Errors
    /// The reason why the collector did not accept them.
    pub(super) async fn send(&self, spans: Vec<SpanData>) -> Result<(), String> {
        match self {
            Collector::Otlp(exporter) => {
                exporter.export(spans).await.map_err(|error| error.to_string())
            }
            Collector::Zipkin { http, url, service } => {
                let spans: Vec<_> =
                    spans.iter().map(|span| ZipkinSpan::new(span, service)).collect();
                match http.post(url).json(&spans).send().await {
                    Ok(response) if response.status().is_success() => Ok(()),
                    Ok(response) => Err(format!("the collector answered {}", response.status())),
                    Err(error) => Err(error.without_url().to_string()),
                }
            }
        }
    }
}

/// A client that follows no redirect: a followed redirect may become a GET of another resource,
/// whose
/// 200 does not mean that the spans were accepted.
fn http_client() -> Result<reqwest::Client, String> {
    let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy();
    client.timeout(REQUEST_TIMEOUT).build().map_err(|error| error.to_string())
}

fn resource(service: &'static str) -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let process = KeyValue::new("process.pid", i64::from(std::process::id()));
    Resource::builder_empty().with_service_name(service).with_attributes([version, process]).build()
}
