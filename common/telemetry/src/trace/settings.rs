/// The destination of spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceExporter {
    /// No destination: no span is recorded.
    None,
    /// A URL that accepts OTLP over HTTP.
    Otlp(String),
    /// A URL that accepts Zipkin's JSON.
    Zipkin(String),
}

/// Settings of traces.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSettings {
    /// The destination of spans.
    pub exporter: TraceExporter,
    /// Share of the requests without a trace context that are recorded, 0 to 1.
    pub ratio: f64,
}
