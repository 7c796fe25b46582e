//! Half a million orders in the queue: the rates of intake and drain, compared with a short queue.

use anyhow::Result;

use super::super::drain::drain;
use super::super::figure::{Figure, Findings, Target};
use super::super::progress::say;
use super::super::setup::Setup;
use super::super::stack;
use super::super::watch::rest;
use testkit::number::{float, shown};
use testkit::world::World;

const CHAPTER: &str = "A long backlog";
const WORKERS: usize = 2;
/// Least share of the figures of a short queue.
const KEPT: Target = Target::AtLeast(0.85);

/// The rates at one length of the queue.
struct Found {
    accepted_per_s: f64,
    drained_per_s: f64,
}

/// Measures the intake while the backlog waits and the rate at which it is drained, each compared
/// with a short queue, with one order per message and with batch messages.
///
/// # Errors
/// If orders are refused or do not become final.
pub(crate) async fn measure(setup: &Setup) -> Result<Findings> {
    let mut findings = Findings::default();
    for (setting, orders_per_message) in [("one order a message", 1), ("packs", setup.plan.pack)] {
        let short = at(setup, orders_per_message, 0.0).await?;
        print(setting, "a short queue", &short);
        let waiting = float(setup.plan.backlog_orders.into());
        let long = at(setup, orders_per_message, waiting).await?;
        print(setting, &format!("{} orders waiting", shown(waiting)), &long);
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

/// Fills the queue with this many orders, measures the intake, then starts the workers.
async fn at(setup: &Setup, orders_per_message: u32, waiting: f64) -> Result<Found> {
    let mut world: World = stack::services(orders_per_message).workers(0).start().await;
    setup.load.run(&world, setup.plan.warm_up()).await?;
    setup.load.fill(&world, waiting).await?;
    rest::servers(&world).await;
    let accepted = setup.load.run(&world, setup.plan.load()).await?;
    rest::servers(&world).await;
    let drained = drain(&mut world, WORKERS).await?;
    Ok(Found { accepted_per_s: accepted.per_s, drained_per_s: drained.per_s })
}

fn print(setting: &str, queue: &str, found: &Found) {
    let (accepted, drained) = (shown(found.accepted_per_s), shown(found.drained_per_s));
    say(&format!("backlog, {setting}, {queue}: {accepted} /s accepted, {drained} /s drained"));
}
