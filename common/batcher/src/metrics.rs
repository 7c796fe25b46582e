use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use telemetry::metrics::buckets::{batch_sizes, batch_times};
use telemetry::metrics::{Counter, Family, Gauge, Histogram, Histograms};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
}

telemetry::metrics! {
    /// Metrics of all stages of a process. The label is [`NAME`](crate::BatchHandler::NAME), a
    /// constant of the batch handler's type.
    pub(crate) struct Stages {
        /// Items that passed the stage, with any outcome: orders; messages at publish; entries at
        /// log_store
        items: Family<StageLabels, Counter> = "ordermill_stage_items_total",
        /// Items in one batch
        batch_sizes: Histograms<StageLabels> = "ordermill_stage_batch_size"
            from Histograms::new_with_constructor(batch_sizes),
        /// Duration of one batch
        batch_times: Histograms<StageLabels> = "ordermill_stage_duration_seconds"
            from Histograms::new_with_constructor(batch_times),
        /// Items that wait in front of the stage
        waiting: Family<StageLabels, Gauge> = "ordermill_stage_waiting",
    }
}

/// Metrics of one stage.
#[derive(Clone, Debug)]
pub(crate) struct StageMetrics {
    items: Counter,
    batch_sizes: Histogram,
    batch_times: Histogram,
    /// Items waiting in front of the stage.
    pub(crate) waiting: Gauge,
}

impl Stages {
    /// The metrics of one stage.
    pub(crate) fn stage(&self, stage: &'static str) -> StageMetrics {
        let labels = StageLabels { stage };
        StageMetrics {
            items: self.items.get_or_create_owned(&labels),
            batch_sizes: self.batch_sizes.get_or_create_owned(&labels),
            batch_times: self.batch_times.get_or_create_owned(&labels),
            waiting: self.waiting.get_or_create_owned(&labels),
        }
    }
}

impl StageMetrics {
    /// Counts one batch of `size` items that took `took`.
    pub(crate) fn batch(&self, size: usize, took: Duration) {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.items.inc_by(size.into());
        self.batch_sizes.observe(f64::from(size));
        self.batch_times.observe(took.as_secs_f64());
    }
}
