//! What any process needs to run: settings, tasks, logs, numbers, health, batches, patience.

mod backoff;
mod clock;
pub mod crash_point;
pub mod env;
mod gather;
mod http_requests;
mod life;
mod metrics;
pub mod ops_server;
mod program;
mod tasks;
mod telemetry;

pub use backoff::Backoff;
pub use clock::unix_seconds;
pub use crash_point::CrashPoint;
pub use env::{Env, Secret, Setting, WrongSettings};
pub use gather::{Gather, GatherLimits, Gathered, NotGathered, Station};
pub use http_requests::count_requests;
pub use life::live;
pub use metrics::{
    AtStation, AuditMetrics, BrokerMetrics, Calls, Charges, Connecting, Consuming, GatewayMetrics,
    HTTP_METHODS, HealthMetrics, HttpMetrics, InHand, InPool, KindLabels, Lines, LogStoreMetrics,
    Looks, MessageMetrics, Metrics, OrderMetrics, Placements, PoolMetrics, Program, Results, Sent,
    Shipped, Spans, StationMetrics, TelemetryMetrics,
};
pub use program::{Begun, NotBegun, ProcessSettings, begin, is_help};
pub use tasks::Tasks;
pub use telemetry::sink::{CollectedLines, Origin, collect_lines};
pub use telemetry::{LogFormat, ROAD, count_lines, start_logging};
