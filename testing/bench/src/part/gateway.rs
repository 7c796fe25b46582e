//! A slow gateway: the rate of one worker and of four.

use std::time::Duration;

use anyhow::Result;

use super::super::drain::{Drained, drain};
use super::super::figure::{Figure, Findings, Table, Target};
use super::super::progress::say;
use super::super::setup::Setup;
use super::super::stack;
use super::super::watch::{memory, rest};
use testkit::number::{float, shown};

const CHAPTER: &str = "A slow gateway";
const LATENCY: Duration = Duration::from_millis(100);
/// So few unacked messages that they bound one worker, at 500 orders per second.
const BOUND: u16 = 50;
/// The service's default.
const USUAL: u16 = 500;
/// Latency at which [`MANY`] charges in flight allow 2000 orders per second. The target is a tenth
/// below, because the start of the worker and the end of the queue are included.
const SLOW: Duration = Duration::from_secs(2);
const MANY: u16 = 4000;

/// Compares four workers with one, at 100 ms.
///
/// # Errors
/// If orders are refused or do not become final.
pub(crate) async fn workers(setup: &Setup) -> Result<Findings> {
    let mut ratios = Vec::new();
    let mut rows = Vec::new();
    for _ in 0..setup.plan.rounds {
        let one = charge(setup, Workers { count: 1, prefetch: BOUND }, LATENCY).await?;
        let four = charge(setup, Workers { count: 4, prefetch: BOUND }, LATENCY).await?;
        ratios.push(four.drained.per_s / one.drained.per_s);
        rows.extend([one.row(), four.row()]);
    }
    for count in [1, 4] {
        rows.push(charge(setup, Workers { count, prefetch: USUAL }, LATENCY).await?.row());
    }
    let name = format!("4 workers ÷ 1, gateway 100 ms, prefetch {BOUND}");
    let ratio = Figure::of(CHAPTER, name, "", ratios);
    let table = Table {
        title: "Gateway of 100 ms".to_owned(),
        columns: ["prefetch", "workers", "settled /s", "machine busy"].map(str::to_owned).into(),
        rows,
        note: format!(
            "A backlog is drained, one order a message. With {BOUND} unacked messages the gateway \
             bounds a worker; with {USUAL} the machine does, if it is busy to the end."
        ),
    };
    let figures = ratio.map(|figure| figure.with(Target::AtLeast(3.8))).into_iter().collect();
    Ok(Findings { figures, tables: vec![table], ..Findings::default() })
}

/// Measures one worker with 4000 charges in flight, at 2 s.
///
/// # Errors
/// If orders are refused or do not become final.
pub(crate) async fn in_flight(setup: &Setup) -> Result<Findings> {
    let found = charge(setup, Workers { count: 1, prefetch: MANY }, SLOW).await?;
    let per_s = [found.drained.per_s];
    let rate = Figure::of(CHAPTER, "settled, gateway 2 s, 4000 in flight", "/s", per_s);
    let peak = Figure::of(CHAPTER, "peak memory of that worker", "MB", found.peak_mb);
    let rate = rate.map(|figure| figure.with(Target::AtLeast(1_800.0)));
    let peak = peak.map(|figure| figure.with(Target::AtMost(120.0)));
    Ok(Findings { figures: rate.into_iter().chain(peak).collect(), ..Findings::default() })
}

/// The workers of one measurement.
#[derive(Clone, Copy)]
struct Workers {
    count: u16,
    prefetch: u16,
}

/// The result of one measurement.
struct Charged {
    workers: Workers,
    drained: Drained,
    /// Peak memory of the largest worker.
    peak_mb: Option<f64>,
}

impl Charged {
    fn row(&self) -> Vec<String> {
        let Workers { count, prefetch } = self.workers;
        let busy = self.drained.busy;
        let busy = busy.map_or("?".to_owned(), |busy| format!("{} %", shown(busy * 100.0)));
        vec![prefetch.to_string(), count.to_string(), shown(self.drained.per_s), busy]
    }
}

/// Drains a backlog that lasts for about the length of one load, and for at least 20 s if the
/// latency is 2 s.
async fn charge(setup: &Setup, workers: Workers, latency: Duration) -> Result<Charged> {
    let Workers { count, prefetch } = workers;
    let in_flight = f64::from(count) * f64::from(prefetch);
    let turns = (setup.plan.load().as_secs_f64() / latency.as_secs_f64()).max(10.0).ceil();
    let services = stack::services(1).workers(0);
    let services = services.worker_env("PREFETCH", &prefetch.to_string());
    let latency_ms = u32::try_from(latency.as_millis())?;
    let services = services.worker_env("GATEWAY_LATENCY_MS", &latency_ms.to_string());
    let mut world = services.start().await;
    let orders = (in_flight * turns).min(float(setup.plan.backlog_orders.into()));
    setup.load.fill(&world, orders).await?;
    rest::servers(&world).await;
    let drained = drain(&mut world, count.into()).await?;
    let busy = drained.busy.map_or("?".to_owned(), |busy| shown(busy * 100.0));
    say(&format!(
        "gateway {latency_ms} ms, prefetch {prefetch}, workers {count}: {} /s settled, \
         machine {busy} % busy",
        shown(drained.per_s)
    ));
    Ok(Charged { workers, drained, peak_mb: memory::peak_mb(&world, "worker") })
}
