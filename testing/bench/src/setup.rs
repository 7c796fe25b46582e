//! The parameters that every part of the benchmark shares.

use std::sync::Arc;

use super::load::closed::ClosedLoop;
use super::plan::Plan;

/// The plan, and the clients of the closed loop.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) plan: Plan,
    pub(super) load: Arc<ClosedLoop>,
}

impl Setup {
    /// The same setup with another number of clients.
    pub(super) fn with_clients(&self, clients: u32) -> Setup {
        Setup { plan: self.plan.clone(), load: self.load.with_clients(clients).into() }
    }

    /// The same setup with another plan.
    pub(super) fn with_plan(&self, plan: Plan) -> Setup {
        Setup { plan, load: self.load.clone() }
    }
}
