//! Waiting until all orders are final, with few queries.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::time::sleep;

use super::placed::Placed;
use super::watch::cpu::Cpu;
use super::watch::metrics;
use testkit::world::World;

/// Interval between two scrapes, each of which costs PostgreSQL an empty statement and
/// order-management some text.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Longest time in which no order becomes final while some are pending.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Waits until none of these orders is pending, and returns the time of that, to 20 ms.
///
/// # Errors
/// If for a minute no order becomes final.
pub(super) async fn all_settled(world: &World, placed: Placed) -> Result<Instant> {
    loop {
        let settled = metrics::settled(world).await?;
        let pending = placed.pending(world).await?;
        if pending < 1.0 {
            return Ok(Instant::now());
        }
        until(world, settled + pending).await?;
    }
}

/// The drain of a backlog.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drained {
    /// Orders that became final per second.
    pub(super) per_s: f64,
    /// Busy share of the machine, from 0 to 1; `None` where there is no `/proc`.
    pub(super) busy: Option<f64>,
}

/// Adds workers to a world that has a backlog and no workers, and waits until the backlog is gone.
/// The measurement begins when all workers are ready: it excludes their start, and the orders that
/// the first workers finish before.
///
/// # Errors
/// If for a minute no order becomes final.
pub(super) async fn drain(world: &mut World, workers: usize) -> Result<Drained> {
    let orders = Placed::ever().pending(world).await?;
    let settled = metrics::settled(world).await?;
    for _ in 0..workers {
        world.add_worker().await;
    }
    world.ready().await;
    let early = metrics::settled(world).await? - settled;
    let (before, begun) = (Cpu::now(world), Instant::now());
    let took = all_settled(world, Placed::ever()).await?.duration_since(begun);
    let spent = Cpu::now(world).zip(before).map(|(after, before)| after.since(before));
    let busy = spent.map(|spent| spent.of_the_machine(took));
    Ok(Drained { per_s: (orders - early) / took.as_secs_f64(), busy })
}

/// Waits until this many orders are settled.
async fn until(world: &World, wanted: f64) -> Result<()> {
    let (mut last, mut moved_at) = (0.0, Instant::now());
    loop {
        let settled = metrics::settled(world).await?;
        if settled >= wanted {
            return Ok(());
        }
        if settled > last {
            (last, moved_at) = (settled, Instant::now());
        }
        let waiting = wanted - settled;
        ensure!(moved_at.elapsed() < STALL_TIMEOUT, "{waiting} orders stay pending");
        sleep(POLL_INTERVAL).await;
    }
}
