//! The program: see the library beside it.

use std::process::ExitCode;

use order_management::{COMMAND, Config, command, run};

const ABOUT: &str = "order-management: the HTTP API for orders, customers and products, with \
                     Swagger UI at /swagger-ui/.\n\nCommands:\n  dead-letters   look at dead letters, \
                     replay or discard them (dead-letters --help)\n  healthcheck    ask the process \
                     on OPS_PORT whether it is ready";

fn main() -> anyhow::Result<ExitCode> {
    let commands = [COMMAND];
    let Some(begun) = common::runtime::begin(ABOUT, &commands, Config::read)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match begun.command.split_first() {
        Some((_, arguments)) => Ok(runtime.block_on(command(arguments, &begun.config))),
        None => runtime.block_on(run(begun.config)).map(|()| ExitCode::SUCCESS),
    }
}
