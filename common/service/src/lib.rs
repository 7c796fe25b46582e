//! What every program needs to run: settings, boot, tasks, shutdown, health and the ops server.

mod backoff;
mod block_on;
mod boot;
mod clock;
pub mod crash_point;
mod env;
mod health;
mod http_metrics;
pub mod ops_server;
mod service;
mod tasks;
mod trace_settings;

pub use backoff::Backoff;
pub use block_on::block_on;
pub use boot::{CommonCommand, Invocation, NotReady, ProcessSettings, parse_args};
pub use clock::unix_seconds;
pub use crash_point::CrashPoint;
pub use env::{Env, InvalidSettings, Secret, Setting, SettingWithDefault};
pub use health::{Health, Readiness};
pub use http_metrics::{HTTP_METHODS, HttpMetrics, count_requests};
pub use service::{Program, Runtime, Service, StartError, TaskPanicked};
pub use tasks::Tasks;
pub use trace_settings::read_trace_settings;
