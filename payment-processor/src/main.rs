//! The payment processor: one of many workers that compete for payment requests, charge the
//! gateway, record what it said, and reply.

mod app;
mod charge;
mod config;
mod gateway;
mod payment_requests;
mod reply;

use common::runtime::{begin, live};
use config::Config;

const ABOUT: &str = "payment-processor: takes payment requests from RabbitMQ, charges the gateway \
                     and replies. Start as many as you like.";

fn main() -> anyhow::Result<()> {
    let Some(begun) = begin(ABOUT, &[], Config::read)? else { return Ok(()) };
    live(app::run(begun.config))?
}
