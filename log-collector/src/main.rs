//! The log collector: stores the log lines that the processes ship, and tells them again at
//! `GET /logs`. It and its database may be away without anyone noticing elsewhere.

mod app;
mod config;
mod http;
mod line;
mod problem;
mod query;
mod store;

use common::runtime::{begin, live};
use config::Config;

const ABOUT: &str = "log-collector: stores the log lines that the processes ship (LOG_EXCHANGE), a \
                     table for each day, and tells them again at /logs of OPS_PORT.";

fn main() -> anyhow::Result<()> {
    let Some(begun) = begin(ABOUT, &[], Config::read)? else {
        return Ok(());
    };
    live(app::run(begun.config))?
}
