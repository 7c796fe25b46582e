//! Orders through the whole pipeline: accepted, relayed, charged, replied and settled, as fast as
//! 64 clients place them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::super::drain::all_settled;
use super::super::load::closed::Accepted;
use super::super::placed::Placed;
use super::super::setup::Setup;
use super::super::stack;
use super::super::watch::cpu::Cpu;
use super::super::watch::memory::peak_mb;
use super::super::watch::metrics::{self, Batches};
use super::super::watch::rest;
use super::super::watch::storage::{Written, commits};
use testkit::world::World;

/// One load, from its first `POST` to the last final status of all its orders. Optional figures are
/// `None` where there is no `/proc`, unless stated otherwise.
#[derive(Clone, Debug)]
pub(super) struct PipelineRun {
    pub(super) accepted: Accepted,
    pub(super) orders: f64,
    pub(super) settled_per_s: f64,
    pub(super) cpu: Option<Cpu>,
    /// Busy share of the machine, from 0 to 1.
    pub(super) busy: Option<f64>,
    /// Bytes per order.
    pub(super) written: Written,
    /// Mean items of a batch, by stage.
    pub(super) batches: BTreeMap<String, f64>,
    /// Transactions per 1000 orders over the world's life; `None` unless the world was stopped.
    pub(super) commits_per_1000: Option<f64>,
    /// Orders of 1000 that a sweep found, because no process relayed them at once.
    pub(super) swept_per_1000: f64,
    /// Megabytes of each kind's largest process, since it started.
    pub(super) order_management_mb: Option<f64>,
    pub(super) worker_mb: Option<f64>,
}

impl PipelineRun {
    /// CPU seconds per 1000 orders, without the load generator.
    pub(super) fn cpu_per_1000(&self) -> Option<f64> {
        self.cpu.map(|cpu| cpu.counted() * 1_000.0 / self.orders)
    }
}

/// Warms up and loads a world that has just started, or is at rest.
///
/// # Errors
/// If orders are refused, or do not become final.
pub(super) async fn measure(setup: &Setup, world: &World) -> Result<PipelineRun> {
    warm_up(setup, world).await?;
    load(setup, world, setup.plan.load()).await
}

/// A load whose figures are not used.
///
/// # Errors
/// As [`measure`].
pub(super) async fn warm_up(setup: &Setup, world: &World) -> Result<()> {
    let warm = Placed::from_now_on(world).await?;
    setup.load.run(world, setup.plan.warm_up()).await?;
    all_settled(world, warm).await.map(drop)
}

/// Loads a warm world for a whole number of seconds, once the servers are at rest.
///
/// # Errors
/// As [`measure`].
pub(super) async fn load(setup: &Setup, world: &World, long: Duration) -> Result<PipelineRun> {
    rest::servers(world).await;
    let (placed, batches) = (Placed::from_now_on(world).await?, Batches::now(world).await?);
    let swept = metrics::swept(world).await?;
    let (written, cpu, started) = (Written::now(world).await?, Cpu::now(world), Instant::now());

    let accepted = setup.load.run(world, long).await?;
    let elapsed = all_settled(world, placed).await?.duration_since(started);

    let cpu = Cpu::now(world).zip(cpu).map(|(after, before)| after.since(before));
    let orders = placed.settled(world).await?;
    ensure!(orders >= accepted.orders, "{} accepted, {orders} settled", accepted.orders);
    Ok(PipelineRun {
        accepted,
        orders,
        settled_per_s: orders / elapsed.as_secs_f64(),
        cpu,
        busy: cpu.map(|cpu| cpu.of_the_machine(elapsed)),
        written: Written::now(world).await?.per_order_since(written, orders),
        batches: Batches::now(world).await?.means_since(&batches),
        commits_per_1000: None,
        swept_per_1000: (metrics::swept(world).await? - swept) * 1_000.0 / orders,
        order_management_mb: peak_mb(world, "order-management"),
        worker_mb: peak_mb(world, "worker"),
    })
}

/// [`measure`] on a world of its own, which is stopped afterwards.
///
/// # Errors
/// As [`measure`].
pub(super) async fn alone(setup: &Setup, orders_per_message: u32) -> Result<PipelineRun> {
    let world = stack::services(orders_per_message).start().await;
    let run = measure(setup, &world).await?;
    let orders = Placed::ever().settled(&world).await?;
    stack::stop(&world).await?;
    let commits_per_1000 = Some(commits(&world).await? * 1_000.0 / orders);
    Ok(PipelineRun { commits_per_1000, ..run })
}
