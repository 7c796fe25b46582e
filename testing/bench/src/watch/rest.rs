//! Nothing of the last measurement runs on into the next one.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::cpu::Cpu;
use testkit::world::World;

/// Servers that do less than this much of one core are at rest.
const BUSY: f64 = 0.06;
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What is not over by then is taken for what these servers always do.
const PATIENCE: Duration = Duration::from_secs(15);

/// Has PostgreSQL write out what it holds, and waits until neither server is still busy with what
/// was before: a vacuum, queues being removed.
pub(crate) async fn servers(world: &World) {
    world.sql("checkpoint").await;
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let Some(before) = Cpu::now(world) else { return };
        let since = Instant::now();
        sleep(LOOK_EVERY).await;
        let Some(after) = Cpu::now(world) else { return };
        if after.since(before).of_servers() < BUSY * since.elapsed().as_secs_f64() {
            return;
        }
    }
}
