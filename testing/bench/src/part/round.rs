//! The measurements of one round.

use super::super::baseline::broker::BrokerRates;
use super::super::load::open::OpenLoopTimes;
use super::pipeline::PipelineRun;

/// The rate of the open loop, in orders per second.
pub(super) const STEADY_PER_S: u32 = 200;

/// Clients of the closed loop in the parts with many clients.
pub(super) const CROWD: u32 = 256;

/// The measurements of one round; `None` for a part that is not in the plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Round {
    /// S, transactions per second.
    pub(super) inserts: Option<f64>,
    /// B.
    pub(super) broker: Option<BrokerRates>,
    /// The pipeline with one order per message.
    pub(super) one: Option<PipelineRun>,
    /// The pipeline with batch messages.
    pub(super) packs: Option<PipelineRun>,
    /// The same with many clients.
    pub(super) crowd: Option<PipelineRun>,
    /// Orders accepted per second without a worker.
    pub(super) intake: Option<f64>,
    /// Times at the steady rate.
    pub(super) latency: Option<OpenLoopTimes>,
}
