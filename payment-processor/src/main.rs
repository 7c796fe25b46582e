//! The payment processor: one of many workers that compete for payment requests, charge the
//! gateway, record its verdicts, and reply.

mod app;
mod charge;
mod config;
mod crash_points;
mod gateway;
mod metrics;
mod payment_requests;
mod prune;
mod reply;

use clap::{Parser, Subcommand};
use config::Config;
use prune::PaymentsArgs;
use service::{CommonCommand, block_on, parse_args};

/// payment-processor: takes payment requests from RabbitMQ, charges the gateway and replies. Start
/// as many as you like.
#[derive(Debug, Parser)]
#[command(name = "payment-processor", version, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Removes the details of old payments
    Payments(PaymentsArgs),
    #[command(flatten)]
    Common(CommonCommand),
}

fn main() -> anyhow::Result<()> {
    let crash_points = [amqp::crash_points::ALL, crash_points::ALL];
    let invocation = parse_args::<Cli, _>(&crash_points, Config::read)?;
    match invocation.args.command {
        Some(Command::Payments(args)) => block_on(prune::run(args, &invocation.config.payments))?,
        Some(Command::Common(command)) => Ok(command.run(&invocation.config.process)?),
        None => block_on(app::run(invocation.config))?,
    }
}
