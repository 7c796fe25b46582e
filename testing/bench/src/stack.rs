//! The services as they are loaded: the real release binaries on servers of the benchmark's own.

use std::time::Duration;

use anyhow::Result;

use testkit::world::{World, WorldBuilder};

const STOP_DEADLINE: Duration = Duration::from_secs(60);

/// One order-management and two workers, whose gateway takes no time but keeps its durable ledger.
/// Each world has a database and a virtual host of its own; all are on the same servers, and the
/// next one clears away what the last one left.
pub(super) fn services(orders_per_message: u32) -> WorldBuilder {
    let world = World::builder().workers(2).env("RUST_LOG", "warn");
    let world = world.env("GATEWAY_LATENCY_MS", "0");
    world.env("ORDERS_PER_MESSAGE", &orders_per_message.to_string())
}

/// The servers alone.
pub(super) async fn nobody() -> World {
    World::builder().order_management(0).workers(0).launch().await
}

/// Stops all services in good order; what they counted is then with the servers.
///
/// # Errors
/// If one does not end within a minute.
pub(super) async fn stop(world: &World) -> Result<()> {
    for process in world.processes() {
        process.sigterm()?;
    }
    for process in world.processes() {
        process.wait_exit(STOP_DEADLINE).await?;
    }
    Ok(())
}

/// Starts them again, and waits until they are ready.
///
/// # Errors
/// If one is running or can't be started.
pub(super) async fn start_again(world: &World) -> Result<()> {
    for process in world.processes() {
        process.start_again()?;
    }
    world.ready().await;
    Ok(())
}
