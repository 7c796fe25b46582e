//! Where the bounds of the histograms lie, by what is measured.

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// Items in a batch: 1 to 2048.
pub fn batch_sizes() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 2.0, 12))
}

/// A batch at a station: 0.25 ms, a commit on a fast disk, to 8 s.
pub fn batch_times() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
}

/// What OpenTelemetry advises for `http.server.request.duration`.
pub fn request_times() -> Histogram {
    Histogram::new([
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    ])
}

/// A batch of publishes: 0.5 ms, on a broker next door, to the confirms' time limit.
pub fn publish_times() -> Histogram {
    Histogram::new([
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ])
}

/// A message in its handler's hand, or a call of the gateway: milliseconds where nothing waits, a
/// minute where the gateway is slow.
pub fn work_times() -> Histogram {
    Histogram::new([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    ])
}

/// An order from placed to final: milliseconds if all goes well, hours if the gateway is down.
pub fn order_times() -> Histogram {
    Histogram::new([
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0,
        3600.0, 21_600.0,
    ])
}
