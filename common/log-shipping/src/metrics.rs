telemetry::metrics! {
    /// Metrics of shipped log lines.
    pub(crate) struct ShippingMetrics {
        /// Log lines for the log store
        pub(crate) lines: ShippedMetrics = "ordermill_log_lines_shipped_total",
    }
}

telemetry::counters_by! {
    /// Log lines for the log store, by outcome.
    pub(crate) struct ShippedMetrics by "outcome" {
        /// The broker confirmed the line.
        sent = "sent",
        /// The buffer was full, or RabbitMQ was unavailable.
        dropped = "dropped",
    }
}
