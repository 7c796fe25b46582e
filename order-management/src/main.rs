//! The program: see the library beside it.

use order_management::{Config, run};

const ABOUT: &str = "order-management: the HTTP API for orders, customers and products, with \
                     Swagger UI at /swagger-ui/.";

fn main() -> anyhow::Result<()> {
    let Some(config) = common::runtime::begin(ABOUT, Config::read)? else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(config))
}
