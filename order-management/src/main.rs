//! The program: see the library beside it.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use order_management::{Config, DeadLettersArgs, crash_points, dead_letters, run};
use service::{CommonCommand, block_on, parse_args};

/// order-management: the HTTP API for orders, customers and products, with Swagger UI at
/// /swagger-ui/.
#[derive(Debug, Parser)]
#[command(name = "order-management", version, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows, replays or discards dead letters
    DeadLetters(DeadLettersArgs),
    #[command(flatten)]
    Common(CommonCommand),
}

fn main() -> anyhow::Result<ExitCode> {
    let crash_points = [amqp::crash_points::ALL, crash_points::ALL];
    let invocation = parse_args::<Cli, _>(&crash_points, Config::read)?;
    let config = invocation.config;
    match invocation.args.command {
        Some(Command::DeadLetters(args)) => Ok(block_on(dead_letters(args, &config))?),
        Some(Command::Common(command)) => {
            command.run(config.process())?;
            Ok(ExitCode::SUCCESS)
        }
        None => block_on(run(config))?.map(|()| ExitCode::SUCCESS),
    }
}
