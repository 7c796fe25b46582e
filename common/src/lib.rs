//! What both services share: the domain, the two message bodies, the broker, the runtime.
//!
//! Imports only go down: `domain` knows nothing, `message` knows `domain`, `runtime` knows
//! nothing of orders, `broker` carries messages without understanding them.

pub mod broker;
pub mod domain;
pub mod message;
pub mod road;
pub mod runtime;
pub mod trace;
