//! The exporter of spans: a bounded queue, and one thread that encodes and sends what waits there.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::collector::Collector;
use super::metrics::SpanMetrics;
use super::span::EndedSpan;

/// Maximum number of spans that wait; about 600 bytes each.
const WAITING_MAX: usize = 8192;
/// Maximum number of spans in one request.
const REQUEST_MAX: usize = 512;
/// Time between two requests, unless enough spans for a full request wait.
const PAUSE: Duration = Duration::from_secs(2);
/// Time for the last spans to be exported when the process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// The input of the exporter.
#[derive(Debug)]
pub(super) struct SpanQueue {
    spans: mpsc::Sender<EndedSpan>,
    /// Notified when enough spans for a full request wait.
    full_request: Arc<Notify>,
    /// Cancelled when the process ends, to end all pauses.
    finishing: CancellationToken,
    /// Cancelled when the exporter has ended.
    finished: CancellationToken,
}

struct Exporter {
    collector: Collector,
    metrics: SpanMetrics,
    scope: InstrumentationScope,
    spans: mpsc::Receiver<EndedSpan>,
    full_request: Arc<Notify>,
    finishing: CancellationToken,
    _finished: DropGuard,
}

impl SpanQueue {
    /// Starts the exporter on a thread of its own and returns its queue. Threads have memory arenas
    /// of their own: encoding on the orders' thread cost the orders more than the spans. If the
    /// exporter ends early, spans are dropped and orders go on.
    ///
    /// # Errors
    /// If the thread or its runtime cannot be started.
    pub(super) fn start(collector: Collector, metrics: SpanMetrics) -> std::io::Result<SpanQueue> {
        let (queue, exporter) = SpanQueue::new(collector, metrics);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("spans".to_owned());
        thread.spawn(move || runtime.block_on(exporter.run()))?;
        Ok(queue)
    }

    fn new(collector: Collector, metrics: SpanMetrics) -> (SpanQueue, Exporter) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let queue = SpanQueue {
            spans: sender,
            full_request: Arc::default(),
            finishing: CancellationToken::new(),
            finished: CancellationToken::new(),
        };
        let exporter = Exporter {
            collector,
            metrics,
            scope: InstrumentationScope::builder("ordermill")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
            spans: receiver,
            full_request: queue.full_request.clone(),
            finishing: queue.finishing.clone(),
            _finished: queue.finished.clone().drop_guard(),
        };
        (queue, exporter)
    }

    /// Adds a span without waiting. Returns false if the queue is full.
    pub(super) fn try_put(&self, span: EndedSpan) -> bool {
        let fits = self.spans.try_send(span).is_ok();
        if fits && WAITING_MAX - self.spans.capacity() >= REQUEST_MAX {
            self.full_request.notify_one();
        }
        fits
    }

    /// Exports the spans that wait and ends the exporter, or gives up after [`FLUSH_TIMEOUT`].
    pub(super) async fn finish(&self) {
        self.finishing.cancel();
        if tokio::time::timeout(FLUSH_TIMEOUT, self.finished.cancelled()).await.is_err() {
            log::debug!("the last spans were not exported in time");
        }
    }
}

impl Exporter {
    async fn run(mut self) {
        let (mut batch, mut is_away, mut is_last) = (Vec::new(), false, false);
        while !is_last {
            self.pause().await;
            is_last = self.finishing.is_cancelled();
            let mut waiting = self.spans.len();
            while waiting > 0 {
                let received = self.spans.recv_many(&mut batch, waiting.min(REQUEST_MAX)).await;
                waiting -= received.min(waiting);
                is_away = self.send(&mut batch, is_away).await;
            }
        }
    }

    /// Waits for [`PAUSE`], until a full request waits, or until the process ends.
    async fn pause(&self) {
        let full_request = async {
            while self.spans.len() < REQUEST_MAX {
                self.full_request.notified().await;
            }
        };
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = full_request => {}
            () = self.finishing.cancelled() => {}
        }
    }

    /// Sends `batch` once and empties it. Returns true if the collector is away, and logs each
    /// change.
    async fn send(&self, batch: &mut Vec<EndedSpan>, was_away: bool) -> bool {
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let spans = batch.drain(..).map(|span| span.encode(&self.scope)).collect();
        match self.collector.send(spans).await {
            Ok(()) => {
                self.metrics.exported.inc_by(count);
                if was_away {
                    log::info!("the collector accepts spans again");
                }
                false
            }
            Err(error) => {
                self.metrics.failed.inc_by(count);
                if !was_away {
                    log::warn!("the collector does not accept spans, they are dropped: {error}");
                }
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{OrderId, TraceParent};
    use futures_util::FutureExt as _;

    use super::super::settings::TraceExporter;
    use super::super::span::{SpanRecord, now};
    use super::*;

    fn span() -> EndedSpan {
        EndedSpan {
            context: TraceParent::of_order(OrderId::new()),
            parent: None,
            began: now(),
            ended: now(),
            record: SpanRecord::done("x"),
            links: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_full_request_ends_the_pause_and_a_full_queue_refuses_spans() {
        let nowhere = TraceExporter::Zipkin("http://localhost:1".to_owned());
        let collector = Collector::new(&nowhere, "a-service").unwrap().unwrap();
        let (queue, exporter) = SpanQueue::new(collector, SpanMetrics::default());

        assert!((1..REQUEST_MAX).all(|_| queue.try_put(span())));
        assert!(exporter.pause().now_or_never().is_none());
        assert!(queue.try_put(span()));
        assert!(exporter.pause().now_or_never().is_some());

        let fitting = (0..2 * WAITING_MAX).filter(|_| queue.try_put(span())).count();
        assert_eq!(fitting, WAITING_MAX - REQUEST_MAX);
    }
}
