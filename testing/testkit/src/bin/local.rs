//! `make run`: see [`testkit::local`].

use std::process::ExitCode;

use clap::Parser;

/// ordermill-local: starts PostgreSQL, RabbitMQ, order-management, two workers and the auditor on
/// this machine, places an order, and runs until Ctrl-C. The data stays in .local/ of the project.
#[derive(Debug, Parser)]
#[command(name = "ordermill-local", version, verbatim_doc_comment)]
struct Cli {}

fn main() -> ExitCode {
    Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let run = async || testkit::local::run().await;
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ordermill-local: {error:#}");
            ExitCode::FAILURE
        }
    }
}
