//! The load generators: a closed loop, and an open loop with a fixed rate.

pub(super) mod closed;
mod http;
pub(super) mod open;
mod order;
