//! Order management: takes orders over HTTP, relays them to the workers through the broker, and
//! settles the workers' results. It is a library so that the readers of bytes from outside can be
//! tested with any bytes ([`reading`]); the program is `main.rs`.

mod app;
mod broker_watch;
mod catalog;
mod cli;
mod config;
pub mod crash_points;
mod dead_letters;
mod http;
mod keys;
mod metrics;
mod orders;
mod payment_results;
mod presence;
mod reconcile;
mod relay;
mod swagger_switch;

pub use app::run;
pub use cli::{DeadLettersArgs, run as dead_letters};
pub use config::Config;
pub use http::reading;
