use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use reqwest::redirect::Policy;

use super::settings::TraceExporter;
use super::zipkin;

/// How long a collector may take for one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Whoever takes the spans.
#[derive(Debug)]
pub(super) enum Collector {
    Otlp(Box<opentelemetry_otlp::SpanExporter>),
    Zipkin { http: reqwest::Client, url: String, service: &'static str },
}

impl Collector {
    /// Nothing is sent yet.
    pub(super) fn of(exporter: &TraceExporter, service: &'static str) -> Result<Collector, String> {
        // Followed, a redirect may become a GET of something else, whose 200 says nothing of the spans.
        let http = reqwest::Client::builder().redirect(Policy::none());
        let http = http.timeout(REQUEST_TIMEOUT).no_proxy().build();
        let http = http.map_err(|error| error.to_string())?;
        match exporter {
            TraceExporter::None => Err("there is nowhere to send spans to".to_owned()),
            TraceExporter::Zipkin(url) => Ok(Collector::Zipkin { http, url: url.clone(), service }),
            TraceExporter::Otlp(url) => {
                let exporter = opentelemetry_otlp::SpanExporter::builder()
                    .with_http()
                    .with_http_client(http)
                    .with_endpoint(url)
                    .with_protocol(Protocol::HttpBinary)
                    .with_timeout(REQUEST_TIMEOUT)
                    .build();
                let mut exporter = exporter.map_err(|error| error.to_string())?;
                exporter.set_resource(&resource(service));
                Ok(Collector::Otlp(Box::new(exporter)))
            }
        }
    }

    /// Sends them, or says why not; they are not sent again.
    pub(super) async fn send(&self, spans: Vec<SpanData>) -> Result<(), String> {
        match self {
            Collector::Otlp(exporter) => {
                exporter.export(spans).await.map_err(|error| error.to_string())
            }
            Collector::Zipkin { http, url, service } => {
                let sent = http.post(url).json(&zipkin::spans(&spans, service)).send().await;
                match sent.map(|answer| answer.status()) {
                    Ok(status) if status.is_success() => Ok(()),
                    Ok(status) => Err(format!("it answers {status}")),
                    Err(error) => Err(error.without_url().to_string()),
                }
            }
        }
    }
}

fn resource(service: &'static str) -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let process = KeyValue::new("process.pid", i64::from(std::process::id()));
    Resource::builder_empty().with_service_name(service).with_attributes([version, process]).build()
}
