//! The payment processor: one of many workers that compete for payment requests, charge the
//! gateway, record what it said, and reply.

mod app;
mod charge;
mod config;
mod gateway;
mod payment_requests;
mod reply;

use config::Config;

const ABOUT: &str = "payment-processor: takes payment requests from RabbitMQ, charges the gateway \
                     and replies. Start as many as you like.";

fn main() -> anyhow::Result<()> {
    let Some(begun) = common::runtime::begin(ABOUT, &[], Config::read)? else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(app::run(begun.config))
}
