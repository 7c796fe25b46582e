crate::metrics! {
    /// Metrics of spans.
    pub(super) struct TraceMetrics {
        /// Spans for the collector
        pub(super) spans: SpanMetrics = "ordermill_spans_total",
    }
}

crate::counters_by! {
    /// Spans for the collector, by outcome.
    pub(super) struct SpanMetrics by "outcome" {
        /// The collector accepted the span.
        exported = "exported",
        /// The queue was full.
        dropped = "dropped",
        /// The collector did not accept the span.
        failed = "failed",
    }
}
