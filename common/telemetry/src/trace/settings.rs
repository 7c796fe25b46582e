/// Where spans go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceExporter {
    /// Nowhere.
    None,
    /// To this URL, as OTLP.
    Otlp(String),
    /// To this URL, as Zipkin's JSON.
    Zipkin(String),
}

/// What a process records of its orders.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSettings {
    /// Where spans go.
    pub exporter: TraceExporter,
    /// Share of the requests without a trace of their own that are recorded, 0 to 1.
    pub ratio: f64,
}
