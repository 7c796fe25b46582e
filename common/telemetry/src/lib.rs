//! Log lines, the order log, metrics and traces of a process.

mod clock;
mod logging;
pub mod metrics;
pub mod order_log;
pub mod trace;

pub use logging::{
    CollectedLines, LogFormat, LogMetrics, ORDER_TARGET, Origin, collect_lines, count_lines,
    start_logging,
};
