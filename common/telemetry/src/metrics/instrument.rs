use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Metric;

/// A gauge of seconds.
pub type Seconds = Gauge<f64, AtomicU64>;

/// A histogram for each set of labels.
pub type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// `N` labels whose names and values are constants.
pub type Labels<const N: usize> = [(&'static str, &'static str); N];

/// The type of a field of a metric set: a metric, or a struct with resolved series of one metric.
pub trait Instrument {
    /// The registered metric.
    type Exposed: Metric;

    /// The metric; clones count into the same values.
    fn exposed(&self) -> Self::Exposed;
}

impl<N, A> Instrument for Counter<N, A>
where
    Counter<N, A>: Metric,
{
    type Exposed = Self;

    fn exposed(&self) -> Self {
        self.clone()
    }
}

impl<N, A> Instrument for Gauge<N, A>
where
    Gauge<N, A>: Metric,
{
    type Exposed = Self;

    fn exposed(&self) -> Self {
        self.clone()
    }
}

impl Instrument for Histogram {
    type Exposed = Self;

    fn exposed(&self) -> Self {
        self.clone()
    }
}

impl<S, M, C> Instrument for Family<S, M, C>
where
    C: Clone + MetricConstructor<M>,
    Family<S, M, C>: Metric,
{
    type Exposed = Self;

    fn exposed(&self) -> Self {
        self.clone()
    }
}
