//! Waiting until the work of the last measurement has ended.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::cpu::Cpu;
use testkit::world::World;

/// Servers that use less than this share of one core are at rest.
const BUSY: f64 = 0.06;
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Bound of the wait; work that continues beyond it counts as the servers' usual load.
const REST_TIMEOUT: Duration = Duration::from_secs(15);

/// Runs a checkpoint, and waits until neither server is busy with earlier work such as a vacuum or
/// the removal of queues.
pub(crate) async fn servers(world: &World) {
    world.sql("checkpoint").await;
    let started = Instant::now();
    while started.elapsed() < REST_TIMEOUT {
        let Some(before) = Cpu::now(world) else { return };
        let since = Instant::now();
        sleep(POLL_INTERVAL).await;
        let Some(after) = Cpu::now(world) else { return };
        if after.since(before).of_servers() < BUSY * since.elapsed().as_secs_f64() {
            return;
        }
    }
}
