//! What a process reports about itself: log lines, the order log, metrics and traces.

mod clock;
mod logging;
pub mod metrics;
pub mod order_log;
pub mod trace;

pub use logging::metrics::LogMetrics;
pub use logging::sink::{CollectedLines, Origin, collect_lines};
pub use logging::{LogFormat, ORDER_TARGET, count_lines, start_logging};
