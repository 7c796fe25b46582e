crate::metrics! {
    /// Metrics of spans.
    pub(super) struct TraceMetrics {
        /// Spans that were to be exported, by outcome
        pub(super) spans: SpanMetrics = "ordermill_spans_total",
    }
}

crate::counters_by! {
    /// Spans.
    pub(super) struct SpanMetrics by "outcome" {
        /// The collector accepted the span.
        exported = "exported",
        /// There was no room for the span.
        dropped = "dropped",
        /// The collector did not accept the span.
        failed = "failed",
    }
}
