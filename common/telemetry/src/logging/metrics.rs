use crate::metrics::Counter;

crate::metrics! {
    /// Metrics of this process's own log lines.
    pub struct LogMetrics {
        /// Log lines written
        pub(crate) lines: LineMetrics = "ordermill_log_lines_total",
        /// Written log lines that standard error did not accept, because its reader stopped and
        /// 1 MiB was waiting
        pub(crate) lost: Counter = "ordermill_log_lines_lost_total",
    }
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
