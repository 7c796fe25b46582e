use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::book::Book;
use super::{OutcomeLabels, counters};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LevelLabels {
    level: &'static str,
}

/// What a process knows of its own log lines and spans.
#[derive(Clone, Debug)]
pub struct TelemetryMetrics {
    line_counters: Family<LevelLabels, Counter>,
    lost_counter: Counter,
    shipped_counters: Family<OutcomeLabels, Counter>,
    span_counters: Family<OutcomeLabels, Counter>,
    /// Log lines written.
    pub lines: Lines,
    /// Log lines that were to go to the log store.
    pub shipped: Shipped,
    /// Spans that were to go to a collector of traces.
    pub spans: Spans,
}

/// Log lines by level.
#[derive(Clone, Debug)]
pub struct Lines {
    /// `ERROR`.
    pub error: Counter,
    /// `WARN`.
    pub warn: Counter,
    /// `INFO`.
    pub info: Counter,
    /// `DEBUG`.
    pub debug: Counter,
    /// `TRACE`.
    pub trace: Counter,
    /// Those among them that standard error did not take.
    pub lost: Counter,
}

impl Lines {
    /// Those of a level.
    pub fn of(&self, level: log::Level) -> &Counter {
        match level {
            log::Level::Error => &self.error,
            log::Level::Warn => &self.warn,
            log::Level::Info => &self.info,
            log::Level::Debug => &self.debug,
            log::Level::Trace => &self.trace,
        }
    }
}

/// Log lines by what became of them on the way to the log store.
#[derive(Clone, Debug)]
pub struct Shipped {
    /// The broker has it.
    pub sent: Counter,
    /// There was no room, or no broker.
    pub dropped: Counter,
}

/// Spans by what became of them.
#[derive(Clone, Debug)]
pub struct Spans {
    /// The collector has it.
    pub exported: Counter,
    /// There was no room for it.
    pub dropped: Counter,
    /// The collector did not take it.
    pub failed: Counter,
}

impl Default for TelemetryMetrics {
    fn default() -> Self {
        let line_counters: Family<LevelLabels, Counter> = Family::default();
        let lost_counter = Counter::default();
        let (shipped_counters, shipped) = counters();
        let (span_counters, span) = counters();
        let line = |level| line_counters.get_or_create_owned(&LevelLabels { level });
        TelemetryMetrics {
            lines: Lines {
                error: line("error"),
                warn: line("warn"),
                info: line("info"),
                debug: line("debug"),
                trace: line("trace"),
                lost: lost_counter.clone(),
            },
            shipped: Shipped { sent: shipped("sent"), dropped: shipped("dropped") },
            spans: Spans {
                exported: span("exported"),
                dropped: span("dropped"),
                failed: span("failed"),
            },
            line_counters,
            lost_counter,
            shipped_counters,
            span_counters,
        }
    }
}

impl TelemetryMetrics {
    pub(super) fn put_in(&self, book: &mut Book) {
        let m = self.clone();
        book.counter("ordermill_log_lines_total", "Log lines written, by level", m.line_counters);
        book.counter(
            "ordermill_log_lines_lost_total",
            "Log lines that standard error did not take",
            m.lost_counter,
        );
        book.counter(
            "ordermill_log_lines_shipped_total",
            "Log lines that were to go to the log store, by what became of them",
            m.shipped_counters,
        );
        book.counter(
            "ordermill_spans_total",
            "Spans that were to be exported, by what became of them",
            m.span_counters,
        );
    }
}
