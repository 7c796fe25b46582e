//! What each step does. A function comes back with whether the step can be taken; where it cannot,
//! what it has changed is thrown away.

pub(crate) mod charge;
pub(crate) mod environment;
pub(crate) mod intake;
pub(crate) mod relay;
pub(crate) mod settle;
