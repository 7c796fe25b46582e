//! From the end of a span to a collector: a bounded queue and one task behind it.

use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::collector::Collector;
use super::settings::{TraceExporter, TraceSettings};
use crate::runtime::{Metrics, Spans, Tasks};

/// How many spans may wait; what ends while that many wait is dropped. About 1 kB each.
const WAITING_MAX: usize = 4096;
/// How many leave in one request.
const BATCH_MAX: usize = 512;
/// Between two requests, unless more than one request's worth waits. Nobody looks at a trace in the
/// second in which it happens.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the last spans may take to leave.
const FAREWELL: Duration = Duration::from_millis(500);

static RECORDER: OnceLock<Recorder> = OnceLock::new();

/// Where spans go in.
pub(super) struct Recorder {
    queue: mpsc::Sender<Item>,
    /// Cancelled at the end: no more pauses.
    hurry: CancellationToken,
    pub(super) ratio: f64,
    pub(super) scope: InstrumentationScope,
    counts: Spans,
}

enum Item {
    Span(Box<SpanData>),
    /// Everything before this has left when it is answered.
    Flush(oneshot::Sender<()>),
}

/// The recorder, if spans are recorded.
pub(super) fn recorder() -> Option<&'static Recorder> {
    RECORDER.get()
}

impl Recorder {
    /// Takes a span, or drops and counts it where there is no room.
    pub(super) fn record(&self, span: SpanData) {
        if self.queue.try_send(Item::Span(Box::new(span))).is_err() {
            self.counts.dropped.inc();
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
    (tasks, metrics): (&Tasks, &Metrics),
) -> Result<(), String> {
    if settings.exporter == TraceExporter::None {
        return Ok(());
    }
    let collector = Collector::of(&settings.exporter, service)?;
    let (queue, waiting) = mpsc::channel(WAITING_MAX);
    let hurry = CancellationToken::new();
    let recorder = Recorder {
        queue,
        hurry: hurry.clone(),
        ratio: settings.ratio,
        scope: InstrumentationScope::builder("ordermill")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
        counts: metrics.telemetry.spans.clone(),
    };
    if RECORDER.set(recorder).is_ok() {
        let exporter =
            Exporter { collector, waiting, hurry, counts: metrics.telemetry.spans.clone() };
        tasks.spawn("spans", exporter.run());
    }
    Ok(())
}

/// Gives the last spans a moment to leave.
pub async fn finish() {
    let Some(recorder) = recorder() else { return };
    recorder.hurry.cancel();
    let (done, flushed) = oneshot::channel();
    let flush = async {
        if recorder.queue.send(Item::Flush(done)).await.is_ok() {
            drop(flushed.await);
        }
    };
    if tokio::time::timeout(FAREWELL, flush).await.is_err() {
        log::debug!("the last spans were not taken in time");
    }
}

/// What takes spans out of the queue, until its task ends.
struct Exporter {
    collector: Collector,
    waiting: mpsc::Receiver<Item>,
    hurry: CancellationToken,
    counts: Spans,
}

impl Exporter {
    async fn run(mut self) {
        let mut taken = Vec::with_capacity(BATCH_MAX);
        let mut away = false;
        while self.waiting.recv_many(&mut taken, BATCH_MAX).await > 0 {
            let more = taken.len() == BATCH_MAX;
            let (mut spans, mut flushed) = (Vec::new(), Vec::new());
            for item in taken.drain(..) {
                match item {
                    Item::Span(span) => spans.push(*span),
                    Item::Flush(done) => flushed.push(done),
                }
            }
            away = self.send(spans, away).await;
            for done in flushed {
                // Whoever asked may have left.
                let _left = done.send(());
            }
            if more {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.hurry.cancelled() => {}
            }
        }
    }

    /// Sends them once, and says whether the collector is away now. One line tells when that changes.
    async fn send(&self, spans: Vec<SpanData>, was_away: bool) -> bool {
        if spans.is_empty() {
            return was_away;
        }
        let count = u64::try_from(spans.len()).unwrap_or(u64::MAX);
        match self.collector.send(spans).await {
            Ok(()) => {
                self.counts.exported.inc_by(count);
                if was_away {
                    log::info!("the collector takes spans again");
                }
                false
            }
            Err(why) => {
                self.counts.failed.inc_by(count);
                if !was_away {
                    log::warn!("the collector takes no spans, they are dropped: {why}");
                }
                true
            }
        }
    }
}
