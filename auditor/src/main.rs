//! The auditor: compares orders, payments and the gateway's ledger while everything runs. It only
//! reads, and needs no broker.

mod app;
mod audit;
mod check;
mod config;
mod findings;
mod metrics;
mod outbox;
mod page;
mod records;
mod report;
mod rules;
mod sources;
mod state;
mod unfinished;
mod violation;
mod walk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use config::Config;
use service::{CommonCommand, block_on, parse_args};

/// auditor: compares orders, payments and the simulated gateway's ledger, and only reads. Shows its
/// findings at / and /audit.json of OPS_PORT, and as metrics at /metrics.
#[derive(Debug, Parser)]
#[command(name = "auditor", version, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks the orders of the last hour and the overdue ones, prints the violations, and ends
    /// with 0 if there are none, 1 if there are some, 2 if it could not check
    Check {
        /// Checks all orders
        #[arg(long)]
        all: bool,
    },
    #[command(flatten)]
    Common(CommonCommand),
}

/// Exit code of `check` when it could not check.
const COULD_NOT_CHECK: u8 = 2;

fn main() -> ExitCode {
    let failure = match std::env::args().nth(1).as_deref() {
        Some("check") => ExitCode::from(COULD_NOT_CHECK),
        _ => ExitCode::FAILURE,
    };
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("Error: {error:#}");
            failure
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let invocation = parse_args::<Cli, _>(&[], Config::read)?;
    let config = invocation.config;
    match invocation.args.command {
        None => block_on(app::run(config))?.map(|()| ExitCode::SUCCESS),
        Some(Command::Check { all: false }) => block_on(check::run(config, check::Extent::Recent))?,
        Some(Command::Check { all: true }) => block_on(check::run(config, check::Extent::All))?,
        Some(Command::Common(command)) => {
            command.run(&config.process)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
