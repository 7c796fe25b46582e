//! Orders through the whole road: accepted, relayed, charged, replied and settled, as fast as 64
//! clients place them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::super::Bench;
use super::super::drain::all_settled;
use super::super::load::closed::Accepted;
use super::super::placed::Placed;
use super::super::stack;
use super::super::watch::cpu::Cpu;
use super::super::watch::memory::peak_mb;
use super::super::watch::metrics::{self, Batches};
use super::super::watch::rest;
use super::super::watch::storage::{Written, commits};
use testkit::world::World;

/// One load, from its first `POST` to the last final status of all orders it placed.
#[derive(Clone, Debug)]
pub(super) struct Road {
    pub(super) accepted: Accepted,
    pub(super) orders: f64,
    pub(super) settled_per_s: f64,
    /// Nothing where there is no `/proc`, as with all that is optional here.
    pub(super) cpu: Option<Cpu>,
    /// How much of the machine was busy, from 0 to 1.
    pub(super) busy: Option<f64>,
    /// Bytes for each order.
    pub(super) written: Written,
    /// Mean items in a batch by station.
    pub(super) batches: BTreeMap<String, f64>,
    /// Orders in 1000 that were not relayed right away but found by a sweep.
    pub(super) swept_per_1000: f64,
    /// Megabytes of each kind's largest process, since it started.
    pub(super) order_management_mb: Option<f64>,
    pub(super) worker_mb: Option<f64>,
}

impl Road {
    /// CPU seconds of everything but the load generator.
    pub(super) fn cpu_per_1000(&self) -> Option<f64> {
        self.cpu.map(|cpu| cpu.counted() * 1_000.0 / self.orders)
    }
}

/// Loads a world that has just started, or has rested.
///
/// # Errors
/// If orders are refused, or do not become final.
pub(super) async fn measure(bench: &Bench, world: &World) -> Result<Road> {
    warm_up(bench, world).await?;
    load(bench, world, bench.plan.load()).await
}

/// A load whose figures are thrown away.
///
/// # Errors
/// As [`measure`].
pub(super) async fn warm_up(bench: &Bench, world: &World) -> Result<()> {
    let warm = Placed::from_now_on(world).await?;
    bench.load.run(world, bench.plan.warm_up()).await?;
    all_settled(world, warm).await.map(drop)
}

/// A load of a world that is warm, in whole seconds, once the servers are at rest.
///
/// # Errors
/// As [`measure`].
pub(super) async fn load(bench: &Bench, world: &World, long: Duration) -> Result<Road> {
    rest::servers(world).await;
    let (placed, batches) = (Placed::from_now_on(world).await?, Batches::now(world).await?);
    let swept = metrics::swept(world).await?;
    let (written, cpu, started) = (Written::now(world).await?, Cpu::now(world), Instant::now());

    let accepted = bench.load.run(world, long).await?;
    let elapsed = all_settled(world, placed).await?.duration_since(started);

    let cpu = Cpu::now(world).zip(cpu).map(|(after, before)| after.since(before));
    let orders = placed.settled(world).await?;
    ensure!(orders >= accepted.orders, "{} accepted, {orders} settled", accepted.orders);
    Ok(Road {
        accepted,
        orders,
        settled_per_s: orders / elapsed.as_secs_f64(),
        cpu,
        busy: cpu.map(|cpu| cpu.of_the_machine(elapsed)),
        written: Written::now(world).await?.per_order_since(written, orders),
        batches: Batches::now(world).await?.means_since(&batches),
        swept_per_1000: (metrics::swept(world).await? - swept) * 1_000.0 / orders,
        order_management_mb: peak_mb(world, "order-management"),
        worker_mb: peak_mb(world, "worker"),
    })
}

/// The same on a world of its own, and how many transactions each 1000 orders took in its life.
///
/// # Errors
/// As [`measure`].
pub(super) async fn alone(bench: &Bench, orders_per_message: u32) -> Result<(Road, f64)> {
    let world = stack::services(orders_per_message).start().await;
    let road = measure(bench, &world).await?;
    let orders = Placed::ever().settled(&world).await?;
    stack::stop(&world).await?;
    Ok((road, commits(&world).await? * 1_000.0 / orders))
}
