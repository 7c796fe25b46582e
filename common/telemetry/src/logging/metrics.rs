use std::sync::OnceLock;

use crate::metrics::Counter;

crate::metrics! {
    /// Metrics of the log lines of this process.
    pub struct LogMetrics {
        /// Log lines written
        pub(crate) lines: LineMetrics = "ordermill_log_lines_total",
        /// Written log lines that standard error did not accept, because its reader stopped and
        /// 1 MiB was waiting
        pub(crate) lost: Counter = "ordermill_log_lines_lost_total",
    }
}

static METRICS: OnceLock<LogMetrics> = OnceLock::new();

/// Counts the log lines of this process from now on. A second call changes nothing.
pub fn count_lines(metrics: &LogMetrics) {
    METRICS.get_or_init(|| metrics.clone());
}

/// The metrics, once [`count_lines`] was called.
pub(super) fn counted() -> Option<&'static LogMetrics> {
    METRICS.get()
}

crate::counters_by! {
    /// Log lines by level.
    pub(crate) struct LineMetrics by "level" {
        /// `ERROR`.
        error = "error",
        /// `WARN`.
        warn = "warn",
        /// `INFO`.
        info = "info",
        /// `DEBUG`.
        debug = "debug",
        /// `TRACE`.
        trace = "trace",
    }
}

impl LineMetrics {
    /// The counter of one level.
    pub(crate) fn level(&self, level: log::Level) -> &Counter {
        match level {
            log::Level::Error => &self.error,
            log::Level::Warn => &self.warn,
            log::Level::Info => &self.info,
            log::Level::Debug => &self.debug,
            log::Level::Trace => &self.trace,
        }
    }
}
