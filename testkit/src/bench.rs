//! `make bench`: how many orders the real release binaries take and finish on this machine, beside
//! what the same PostgreSQL does with the first step alone in the same sitting.
//!
//! Everything runs with the durability it ships with: fsync and synchronous commit on, quorum
//! queues, persistent messages, publisher confirms. One order-management, two workers, a gateway
//! that takes no time but keeps its durable ledger.

mod load;
mod report;
mod yardstick;

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::world::World;
use load::Accepted;
use report::Round;
use yardstick::Yardstick;

/// How often everything is measured; medians are told.
const ROUNDS: usize = 3;
/// How long each yardstick and each load lasts.
const SECONDS: u64 = 15;
/// How long the backlog of one round may take.
const DRAIN_DEADLINE: Duration = Duration::from_secs(120);

/// Measures and prints. Takes about two minutes.
///
/// # Errors
/// If something can't be started, or `pgbench` or `wrk` are not installed.
pub async fn run() -> Result<()> {
    say("starting PostgreSQL, RabbitMQ, one order-management and two workers");
    let builder = World::builder().private_servers().workers(2);
    let world = builder.env("GATEWAY_LATENCY_MS", "0").env("RUST_LOG", "warn").start().await;
    let yardstick = Yardstick::prepare(&world).await?;
    let load = load::Load::prepare(&world)?;
    load.run(2).await?;
    world.eventually_all_settled(DRAIN_DEADLINE).await;
    let mut rounds = Vec::new();
    for number in 1..=ROUNDS {
        say(&format!("round {number} of {ROUNDS}: pgbench, then wrk, {SECONDS} s each"));
        let inserts_per_s = yardstick.run(SECONDS).await?;
        let before = world.count(FINAL).await;
        let started = Instant::now();
        let Accepted { per_s, p50, p99 } = load.run(SECONDS).await?;
        world.eventually_all_settled(DRAIN_DEADLINE).await;
        let settled = world.count(FINAL).await - before;
        let settled_per_s = per_second(settled, started.elapsed());
        rounds.push(Round { inserts_per_s, accepted_per_s: per_s, settled_per_s, p50, p99 });
    }
    say(&report::of(&world, &rounds).await);
    Ok(())
}

const FINAL: &str = "select count(*) from orders where status <> 'Pending'";

fn per_second(count: i64, elapsed: Duration) -> f64 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    f64::from(count) / elapsed.as_secs_f64()
}

fn say(text: &str) {
    use std::io::Write;
    writeln!(std::io::stdout(), "{text}").ok();
}
