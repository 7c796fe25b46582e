//! A gateway that takes its time: workers wait for it, and more of them wait for more of it.

use std::time::Duration;

use anyhow::Result;

use super::super::Bench;
use super::super::drain::{Drained, drain};
use super::super::figure::{Figure, Findings, Table, Target};
use super::super::progress::say;
use super::super::stack;
use super::super::watch::{memory, rest};
use testkit::number::{float, shown};

const CHAPTER: &str = "A slow gateway";
const LATENCY: Duration = Duration::from_millis(100);
/// So few messages in hand that one worker is bound by them, at 500 orders a second.
const BOUND: u16 = 50;
/// The service's default.
const USUAL: u16 = 500;
/// One worker with as many charges in flight as a gateway of 2 s needs for 2000 a second. It should
/// come within a tenth of that, its start and the end of the queue included.
const SLOW: Duration = Duration::from_secs(2);
const MANY: u16 = 4000;

/// Four workers beside one, at 100 ms.
///
/// # Errors
/// If orders are refused or do not become final.
pub(crate) async fn workers(bench: &Bench) -> Result<Findings> {
    let mut ratios = Vec::new();
    let mut rows = Vec::new();
    for _ in 0..bench.plan.rounds {
        let one = charged(bench, LATENCY, (1, BOUND)).await?.0;
        let four = charged(bench, LATENCY, (4, BOUND)).await?.0;
        ratios.push(four.per_s / one.per_s);
        rows.extend([row(BOUND, 1, one), row(BOUND, 4, four)]);
    }
    for workers in [1, 4] {
        let found = charged(bench, LATENCY, (workers, USUAL)).await?.0;
        rows.push(row(USUAL, workers, found));
    }
    let name = format!("4 workers ÷ 1, gateway 100 ms, prefetch {BOUND}");
    let ratio = Figure::of(CHAPTER, name, "", ratios);
    let table = Table {
        title: "Gateway of 100 ms".to_owned(),
        columns: ["prefetch", "workers", "settled /s", "machine busy"].map(str::to_owned).into(),
        rows,
        note: format!(
            "A backlog is drained, one order a message. With {BOUND} messages in hand a worker is \
             bound by the gateway; with {USUAL} the machine is, where it is busy to the end."
        ),
    };
    let figures = ratio.map(|figure| figure.with(Target::AtLeast(3.8))).into_iter().collect();
    Ok(Findings { figures, tables: vec![table], ..Findings::default() })
}

/// One worker with 4000 charges in flight, at 2 s.
///
/// # Errors
/// If orders are refused or do not become final.
pub(crate) async fn in_flight(bench: &Bench) -> Result<Findings> {
    let (found, peak) = charged(bench, SLOW, (1, MANY)).await?;
    let rate = Figure::of(CHAPTER, "settled, gateway 2 s, 4000 in flight", "/s", [found.per_s]);
    let peak = Figure::of(CHAPTER, "peak memory of that worker", "MB", peak);
    let rate = rate.map(|figure| figure.with(Target::AtLeast(1_800.0)));
    let peak = peak.map(|figure| figure.with(Target::AtMost(120.0)));
    Ok(Findings { figures: rate.into_iter().chain(peak).collect(), ..Findings::default() })
}

/// Drains a backlog that is enough for the length of one load, for 20 s at least with a latency of
/// seconds. Also the peak memory of the largest worker, in MB.
async fn charged(
    bench: &Bench,
    latency: Duration,
    (workers, prefetch): (u16, u16),
) -> Result<(Drained, Option<f64>)> {
    let in_flight = f64::from(workers) * f64::from(prefetch);
    let turns = (bench.plan.load().as_secs_f64() / latency.as_secs_f64()).max(10.0).ceil();
    let services = stack::services(1).workers(0);
    let services = services.worker_env("PREFETCH", &prefetch.to_string());
    let latency_ms = u32::try_from(latency.as_millis())?;
    let services = services.worker_env("GATEWAY_LATENCY_MS", &latency_ms.to_string());
    let mut world = services.start().await;
    bench
        .load
        .fill(&world, (in_flight * turns).min(float(bench.plan.backlog_orders.into())))
        .await?;
    rest::servers(&world).await;
    let found = drain(&mut world, workers.into()).await?;
    let busy = found.busy.map_or("?".to_owned(), |busy| shown(busy * 100.0));
    say(&format!(
        "gateway {latency_ms} ms, prefetch {prefetch}, workers {workers}: {} /s settled, \
         machine {busy} % busy",
        shown(found.per_s)
    ));
    Ok((found, memory::peak_mb(&world, "worker")))
}

fn row(prefetch: u16, workers: u16, found: Drained) -> Vec<String> {
    let busy = found.busy.map_or("?".to_owned(), |busy| format!("{} %", shown(busy * 100.0)));
    vec![prefetch.to_string(), workers.to_string(), shown(found.per_s), busy]
}
