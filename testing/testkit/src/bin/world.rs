//! A whole Ordermill on servers of its own, for a tool that comes from outside (`make fuzz-api`):
//! prints where its API is, waits until its standard input ends, and is gone. Fails if one of its
//! processes has ended or panicked meanwhile.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use tokio::io::{AsyncReadExt as _, stdin};

use testkit::World;

/// ordermill-world: starts a whole Ordermill on servers of its own, prints the address of its API, and
/// ends with its standard input.
#[derive(Debug, Parser)]
#[command(name = "ordermill-world", version, verbatim_doc_comment)]
struct Cli {}

fn main() -> ExitCode {
    Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(run())) {
        Ok(hurt) if hurt.is_empty() => ExitCode::SUCCESS,
        Ok(hurt) => {
            eprintln!("ordermill-world: {}", hurt.join("\n"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("ordermill-world: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The processes that ended or panicked.
async fn run() -> std::io::Result<Vec<String>> {
    let world = World::start().await;
    writeln!(std::io::stdout(), "{}", world.url(0, ""))?;
    stdin().read_to_end(&mut Vec::new()).await?;
    let hurt = world.processes().filter(|p| !p.is_running() || p.log_contains("panicked"));
    Ok(hurt.map(|process| format!("{}: {}", process.name(), process.log_tail())).collect())
}
