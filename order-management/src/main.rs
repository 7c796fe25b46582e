//! Order management: takes orders over HTTP, relays them to the workers through the broker, and
//! settles what the workers answer.

mod api;
mod app;
mod command;
mod config;
mod dead_letters;
mod orders;
mod payment_results;
mod relay;

use std::process::ExitCode;

use config::Config;

const ABOUT: &str = "order-management: the HTTP API for orders, customers and products, with \
                     Swagger UI at /swagger-ui/.\n\nCommands:\n  dead-letters   look at dead letters, \
                     replay or discard them (dead-letters --help)\n  healthcheck    ask the process \
                     on OPS_PORT whether it is ready";

fn main() -> anyhow::Result<ExitCode> {
    let commands = [command::NAME];
    let Some(begun) = common::runtime::begin(ABOUT, &commands, Config::read)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match begun.command.split_first() {
        Some((_, arguments)) => Ok(runtime.block_on(command::run(arguments, &begun.config))),
        None => runtime.block_on(app::run(begun.config)).map(|()| ExitCode::SUCCESS),
    }
}
