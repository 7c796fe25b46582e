use std::sync::OnceLock;

use super::collector::Collector;
use super::exporter::SpanQueue;
use super::metrics::{SpanMetrics, TraceMetrics};
use super::settings::TraceSettings;
use super::span::EndedSpan;
use crate::metrics::Metrics;

static RECORDER: OnceLock<Recorder> = OnceLock::new();

/// The recorder of the process's spans.
#[derive(Debug)]
pub(super) struct Recorder {
    queue: SpanQueue,
    ratio: f64,
    metrics: SpanMetrics,
}

/// The recorder, if this process records spans.
pub(super) fn recorder() -> Option<&'static Recorder> {
    RECORDER.get()
}

impl Recorder {
    /// Share of the requests without a trace context that are recorded.
    pub(super) fn ratio(&self) -> f64 {
        self.ratio
    }

    /// Queues a span for the exporter, or drops and counts the span if the queue is full.
    pub(super) fn record(&self, span: EndedSpan) {
        if !self.queue.try_put(span) {
            self.metrics.dropped.inc();
        }
    }
}

/// Starts recording for the whole process, as `service`, unless the settings name no exporter. A
/// second call changes nothing.
///
/// # Errors
/// If the exporter cannot be built.
pub fn start(
    settings: &TraceSettings,
    service: &'static str,
    metrics: &Metrics,
) -> Result<(), String> {
    // Exposed without an exporter as well, so that dashboards find them.
    let metrics = metrics.get::<TraceMetrics>().spans;
    let collector = Collector::new(&settings.exporter, service)?;
    let Some(collector) = collector.filter(|_| RECORDER.get().is_none()) else { return Ok(()) };
    let queue = SpanQueue::start(collector, metrics.clone()).map_err(|error| error.to_string())?;
    RECORDER.get_or_init(|| Recorder { queue, ratio: settings.ratio, metrics });
    Ok(())
}

/// Exports the last spans, for half a second at most.
pub async fn finish() {
    if let Some(recorder) = recorder() {
        recorder.queue.finish().await;
    }
}
