//! The log collector: stores the log lines that the processes ship, and serves them at `GET /logs`.
//! No other process depends on the collector or its database.

mod app;
mod config;
mod http;
mod line;
mod metrics;
mod problem;
mod query;
mod store;

use clap::Parser;
use config::Config;
use service::{CommonCommand, block_on, parse_args};

/// log-collector: stores the log lines that the processes ship (LOG_EXCHANGE), in a table for each
/// day, and serves them at /logs of OPS_PORT.
#[derive(Debug, Parser)]
#[command(name = "log-collector", version, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Option<CommonCommand>,
}

fn main() -> anyhow::Result<()> {
    let invocation = parse_args::<Cli, _>(&[], Config::read)?;
    match invocation.args.command {
        Some(command) => Ok(command.run(&invocation.config.process)?),
        None => block_on(app::run(invocation.config))?,
    }
}
