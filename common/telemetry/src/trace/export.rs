//! From the end of a span to a collector: a bounded queue and one thread behind it.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::EndedSpan;
use super::collector::Collector;
use super::queue::Queue;
use super::settings::{TraceExporter, TraceSettings};
use crate::metrics::Metrics;
use crate::trace::metrics::{SpanMetrics, TraceMetrics};

/// How many leave in one request.
pub(super) const REQUEST_MAX: usize = 512;
/// Between two requests, unless one request's worth waits or comes to wait. Nobody looks at a trace in the
/// second in which it happens.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the last spans may take to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

static RECORDER: OnceLock<Recorder> = OnceLock::new();

/// Where spans go in.
pub(super) struct Recorder {
    queue: Arc<Queue>,
    /// Cancelled at the end: no more pauses.
    hurry: CancellationToken,
    /// Cancelled when all that was there by then has left.
    ended: CancellationToken,
    pub(super) ratio: f64,
    metrics: SpanMetrics,
}

/// The recorder, if spans are recorded.
pub(super) fn recorder() -> Option<&'static Recorder> {
    RECORDER.get()
}

impl Recorder {
    /// Takes a span, or drops and metrics it where there is no room.
    pub(super) fn record(&self, record: EndedSpan) {
        if !self.queue.offer(record) {
            self.metrics.dropped.inc();
        }
    }
}

/// Starts recording for the whole process, as `service`, unless the settings say none. A second
/// call changes nothing.
///
/// # Errors
/// If the way to the collector cannot be built at all.
pub fn start(
    settings: &TraceSettings,
    service: &'static str,
    metrics: &Metrics,
) -> Result<(), String> {
    if settings.exporter == TraceExporter::None {
        return Ok(());
    }
    let collector = Collector::of(&settings.exporter, service)?;
    let recorder = Recorder {
        queue: Arc::new(Queue::new()),
        hurry: CancellationToken::new(),
        ended: CancellationToken::new(),
        ratio: settings.ratio,
        metrics: metrics.get::<TraceMetrics>().spans,
    };
    let exporter = Exporter {
        collector,
        queue: recorder.queue.clone(),
        hurry: recorder.hurry.clone(),
        ended: recorder.ended.clone().drop_guard(),
        metrics: recorder.metrics.clone(),
        scope: InstrumentationScope::builder("ordermill")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    };
    if RECORDER.set(recorder).is_ok() { spawn(exporter) } else { Ok(()) }
}

/// Runs it on a thread of its own, whose allocations have an arena of their own: spelling out spans
/// among the orders' cost the orders more than the spans. Should it end before its time, orders go
/// on and spans are dropped.
fn spawn(exporter: Exporter) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let thread = std::thread::Builder::new().name("spans".to_owned());
    let spawned = thread.spawn(move || runtime.block_on(exporter.run()));
    spawned.map(drop).map_err(|error| error.to_string())
}

/// Gives the last spans a moment to leave.
pub async fn finish() {
    let Some(recorder) = recorder() else { return };
    recorder.hurry.cancel();
    if tokio::time::timeout(FLUSH_TIMEOUT, recorder.ended.cancelled()).await.is_err() {
        log::debug!("the last spans were not taken in time");
    }
}

/// What takes spans out of the queue, until it is record to hurry and all are out.
struct Exporter {
    collector: Collector,
    queue: Arc<Queue>,
    hurry: CancellationToken,
    ended: DropGuard,
    metrics: SpanMetrics,
    scope: InstrumentationScope,
}

impl Exporter {
    async fn run(self) {
        let (mut taken, mut away) = (VecDeque::new(), false);
        loop {
            let last = self.hurry.is_cancelled();
            self.queue.take_all(&mut taken);
            let none = taken.is_empty();
            while !taken.is_empty() {
                let some = taken.drain(..taken.len().min(REQUEST_MAX)).collect();
                away = self.send(some, away).await;
            }
            if last {
                break;
            }
            if self.queue.len() < REQUEST_MAX {
                self.pause(none).await;
            }
        }
        drop(self.ended);
    }

    /// Waits for a while, or until there is something to do.
    async fn pause(&self, until_some: bool) {
        let pause = async {
            if until_some { self.queue.arrived().await } else { tokio::time::sleep(PAUSE).await }
        };
        tokio::select! {
            () = pause => {}
            () = self.queue.enough() => {}
            () = self.hurry.cancelled() => {}
        }
    }

    /// Sends them once, and says whether the collector is away now. One line tells when that changes.
    async fn send(&self, records: Vec<EndedSpan>, was_away: bool) -> bool {
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let spans = records.into_iter().map(|record| record.into_data(&self.scope)).collect();
        match self.collector.send(spans).await {
            Ok(()) => {
                self.metrics.exported.inc_by(count);
                if was_away {
                    log::info!("the collector takes spans again");
                }
                false
            }
            Err(why) => {
                self.metrics.failed.inc_by(count);
                if !was_away {
                    log::warn!("the collector takes no spans, they are dropped: {why}");
                }
                true
            }
        }
    }
}
