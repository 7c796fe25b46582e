//! The effects of the steps. A function returns true if the step is possible; otherwise its changes
//! are dropped.

pub(crate) mod charge;
pub(crate) mod environment;
pub(crate) mod intake;
pub(crate) mod relay;
pub(crate) mod settle;
