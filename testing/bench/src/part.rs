//! What is measured.

pub(super) mod backlog;
pub(super) mod gateway;
pub(super) mod growth;
pub(super) mod idle;
mod latency_findings;
mod road;
mod road_findings;
pub(super) mod rounds;
pub(super) mod scale;
pub(super) mod telemetry;
