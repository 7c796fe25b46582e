//! The services under load: the real release binaries on servers of the benchmark's own.

use std::time::Duration;

use anyhow::Result;

use testkit::world::{World, WorldBuilder};

const STOP_DEADLINE: Duration = Duration::from_secs(60);

/// One order-management and two workers, whose gateway has no latency but writes its durable
/// ledger. Each world has a database and a virtual host of its own. All worlds share the servers,
/// and each removes the database and the virtual host of the previous one.
pub(super) fn services(orders_per_message: u32) -> WorldBuilder {
    let world = World::builder().workers(2).env("RUST_LOG", "warn");
    let world = world.env("GATEWAY_LATENCY_MS", "0");
    world.env("ORDERS_PER_MESSAGE", &orders_per_message.to_string())
}

/// The servers without a service.
pub(super) async fn servers_only() -> World {
    World::builder().order_management(0).workers(0).launch().await
}

/// Stops all services with SIGTERM, so that their sessions report their counters to the servers.
///
/// # Errors
/// If a service does not end within a minute.
pub(super) async fn stop(world: &World) -> Result<()> {
    for process in world.processes() {
        process.sigterm()?;
    }
    for process in world.processes() {
        process.wait_exit(STOP_DEADLINE).await?;
    }
    Ok(())
}

/// Starts all services again and waits until they are ready.
///
/// # Errors
/// If a service is running or can't be started.
pub(super) async fn start_again(world: &World) -> Result<()> {
    for process in world.processes() {
        process.start_again()?;
    }
    world.ready().await;
    Ok(())
}
