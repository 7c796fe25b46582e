//! Order management: takes orders over HTTP, relays them to the workers through the broker, and
//! settles what the workers answer.

mod api;
mod app;
mod config;
mod orders;
mod payment_results;
mod reconcile;
mod relay;

use config::Config;

const ABOUT: &str = "order-management: the HTTP API for orders, customers and products, with \
                     Swagger UI at /swagger-ui/.";

fn main() -> anyhow::Result<()> {
    let Some(config) = common::runtime::begin(ABOUT, Config::read)? else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(app::run(config))
}
