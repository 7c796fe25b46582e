//! Bounds of histograms, by the measured quantity.

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// Number of items in a batch: 1 to 2048.
pub fn batch_sizes() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 2.0, 12))
}

/// Duration of a batch at a stage: 0.25 ms, a commit on a fast disk, to 8 s.
pub fn batch_times() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
}

/// Duration of an HTTP request: the bounds that OpenTelemetry advises for
/// `http.server.request.duration`.
pub fn request_times() -> Histogram {
    Histogram::new([
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    ])
}

/// Duration of a batch of publishes: 0.5 ms, with a broker on the same machine, to the timeout of
/// confirms.
pub fn publish_times() -> Histogram {
    Histogram::new([
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ])
}

/// Duration of the work on a message, or of a call of the gateway: milliseconds if nothing waits, a
/// minute if the gateway is slow.
pub fn work_times() -> Histogram {
    Histogram::new([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    ])
}

/// Time from placed to final: milliseconds as a rule, hours if the gateway is unavailable.
pub fn order_times() -> Histogram {
    Histogram::new([
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0,
        3600.0, 21_600.0,
    ])
}
