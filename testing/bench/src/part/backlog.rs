//! Half a million orders standing in the queue: is the intake slowed down, is the drain?

use anyhow::Result;

use super::super::Bench;
use super::super::drain::drain;
use super::super::figure::{Figure, Findings, Target};
use super::super::progress::say;
use super::super::stack;
use super::super::watch::rest;
use testkit::number::{float, shown};
use testkit::world::World;

const CHAPTER: &str = "A long backlog";
const WORKERS: usize = 2;
/// Of the figures without a backlog; 15 % less is the most that may be lost.
const KEPT: Target = Target::AtLeast(0.85);

/// What was measured at one length of the queue.
struct Found {
    accepted_per_s: f64,
    drained_per_s: f64,
}

/// Intake while the backlog stands and the rate at which it is drained, each beside that of a short
/// queue, with one order a message and with packs.
///
/// # Errors
/// If orders are refused or do not become final.
pub(crate) async fn measure(bench: &Bench) -> Result<Findings> {
    let mut findings = Findings::default();
    for (setting, orders_per_message) in [("one order a message", 1), ("packs", bench.plan.pack)] {
        let short = at(bench, orders_per_message, 0.0).await?;
        tell(setting, "a short queue", &short);
        let standing = float(bench.plan.backlog_orders.into());
        let long = at(bench, orders_per_message, standing).await?;
        tell(setting, &format!("{} orders standing", shown(standing)), &long);
        let pair = |what: &str, short: f64, long: f64| {
            let name = |rest: &str| format!("{what}, {setting}, {rest}");
            let ratio = Figure::of(CHAPTER, name("long ÷ short"), "", [long / short]);
            let short = Figure::of(CHAPTER, name("short queue"), "/s", [short]);
            let long = Figure::of(CHAPTER, name("long queue"), "/s", [long]);
            [short, long, ratio.map(|figure| figure.with(KEPT))].into_iter().flatten()
        };
        findings.figures.extend(pair("accepted", short.accepted_per_s, long.accepted_per_s));
        findings.figures.extend(pair("drained", short.drained_per_s, long.drained_per_s));
    }
    Ok(findings)
}

/// Lets this many orders stand, measures the intake, then starts the workers.
async fn at(bench: &Bench, orders_per_message: u32, standing: f64) -> Result<Found> {
    let mut world: World = stack::services(orders_per_message).workers(0).start().await;
    bench.load.run(&world, bench.plan.warm_up()).await?;
    bench.load.fill(&world, standing).await?;
    rest::servers(&world).await;
    let accepted = bench.load.run(&world, bench.plan.load()).await?;
    rest::servers(&world).await;
    let drained = drain(&mut world, WORKERS).await?;
    Ok(Found { accepted_per_s: accepted.per_s, drained_per_s: drained.per_s })
}

fn tell(setting: &str, queue: &str, found: &Found) {
    let (accepted, drained) = (shown(found.accepted_per_s), shown(found.drained_per_s));
    say(&format!("backlog, {setting}, {queue}: {accepted} /s accepted, {drained} /s drained"));
}
