//! The program: see the library beside it.

use std::process::ExitCode;

use common::runtime::{begin, live};
use order_management::{COMMAND, Config, command, run};

const ABOUT: &str = "order-management: the HTTP API for orders, customers and products, with \
                     Swagger UI at /swagger-ui/.\n\nCommands:\n  dead-letters   look at dead letters, \
                     replay or discard them (dead-letters --help)\n  healthcheck    ask the process \
                     on OPS_PORT whether it is ready";

fn main() -> anyhow::Result<ExitCode> {
    let commands = [COMMAND];
    let Some(begun) = begin(ABOUT, &commands, Config::read)? else {
        return Ok(ExitCode::SUCCESS);
    };
    match begun.command.split_first() {
        Some((_, arguments)) => Ok(live(command(arguments, &begun.config))?),
        None => live(run(begun.config))?.map(|()| ExitCode::SUCCESS),
    }
}
