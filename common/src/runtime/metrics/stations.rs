use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::book::Book;
use super::buckets::{Histograms, batch_sizes, batch_times};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StationLabels {
    station: &'static str,
}

/// What is known of all stations. Its label is the station's `NAME`, a constant of its type.
#[derive(Clone, Debug)]
pub struct StationMetrics {
    items: Family<StationLabels, Counter>,
    batch_sizes: Histograms<StationLabels>,
    batch_times: Histograms<StationLabels>,
    waiting: Family<StationLabels, Gauge>,
}

/// The numbers of one station.
#[derive(Clone, Debug)]
pub struct AtStation {
    items: Counter,
    batch_sizes: Histogram,
    batch_times: Histogram,
    /// Items that wait in front of it.
    pub waiting: Gauge,
}

impl Default for StationMetrics {
    fn default() -> Self {
        StationMetrics {
            items: Family::default(),
            batch_sizes: Family::new_with_constructor(batch_sizes),
            batch_times: Family::new_with_constructor(batch_times),
            waiting: Family::default(),
        }
    }
}

impl StationMetrics {
    pub(super) fn put_in(&self, book: &mut Book) {
        book.counter(
            "ordermill_stage_items_total",
            "Items that went through a station, whatever came of them",
            self.items.clone(),
        );
        book.histogram(
            "ordermill_stage_batch_size",
            "Items taken through a station together",
            self.batch_sizes.clone(),
        );
        book.histogram(
            "ordermill_stage_duration_seconds",
            "Time a batch took at a station",
            self.batch_times.clone(),
        );
        book.gauge(
            "ordermill_stage_waiting",
            "Items that wait in front of a station",
            self.waiting.clone(),
        );
    }

    /// Those of one station, looked up once.
    pub fn at(&self, station: &'static str) -> AtStation {
        let labels = StationLabels { station };
        AtStation {
            items: self.items.get_or_create_owned(&labels),
            batch_sizes: self.batch_sizes.get_or_create_owned(&labels),
            batch_times: self.batch_times.get_or_create_owned(&labels),
            waiting: self.waiting.get_or_create_owned(&labels),
        }
    }
}

impl AtStation {
    /// A batch went through.
    pub fn batch(&self, size: usize, took: Duration) {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.items.inc_by(size.into());
        self.batch_sizes.observe(f64::from(size));
        self.batch_times.observe(took.as_secs_f64());
    }
}
