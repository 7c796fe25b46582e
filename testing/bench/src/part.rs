//! The parts of the benchmark.

pub(super) mod backlog;
pub(super) mod gateway;
pub(super) mod growth;
pub(super) mod idle;
mod latency_findings;
mod pipeline;
mod pipeline_findings;
mod round;
pub(super) mod rounds;
pub(super) mod scale;
pub(super) mod telemetry;
