//! Order management: takes orders over HTTP, relays them to the workers through the broker, and
//! settles what the workers answer. A library so that what reads bytes from outside can be tried on
//! any bytes ([`reading`]); the program is `main.rs`.

mod api;
mod app;
mod command;
mod config;
mod dead_letters;
mod orders;
mod payment_results;
mod reconcile;
mod relay;

pub use api::reading;
pub use app::run;
pub use command::{NAME as COMMAND, run as command};
pub use config::Config;
