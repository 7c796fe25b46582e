//! What is compared with each other is measured in the same sitting, in rounds: a machine that gets
//! slower or faster meanwhile does so for all of it. Every measurement has tables and queues of its
//! own, empty at its start, and waits until the servers are at rest.

use anyhow::Result;

use super::super::Bench;
use super::super::figure::Findings;
use super::super::load::open::{self, Open};
use super::super::plan::Part;
use super::super::progress::say;
use super::super::stack;
use super::super::watch::rest;
use super::super::yardstick::broker::{self, Broker};
use super::super::yardstick::inserts::Inserts;
use super::road::{self, Road};
use super::{latency_findings, road_findings};
use testkit::number::{ms, shown};

/// The rate of the open loop, in orders a second.
pub(super) const STEADY_PER_S: u32 = 200;

/// Clients of the closed loop, where there are many.
pub(super) const CROWD: u32 = 256;

/// What one round measured; nothing where the plan left it out.
#[derive(Clone, Debug, Default)]
pub(super) struct Round {
    /// S, transactions a second.
    pub(super) inserts: Option<f64>,
    /// B.
    pub(super) broker: Option<Broker>,
    /// The road with one order a message, and commits for each 1000 orders.
    pub(super) one: Option<(Road, f64)>,
    /// The road with packs.
    pub(super) packs: Option<(Road, f64)>,
    /// The same with many clients.
    pub(super) crowd: Option<Road>,
    /// Orders accepted a second while no worker runs.
    pub(super) intake: Option<f64>,
    /// Times at the steady rate.
    pub(super) latency: Option<Open>,
}

/// Measures what the plan wants in rounds.
///
/// # Errors
/// If something can't be started, or orders are refused or do not become final.
pub(crate) async fn measure(bench: &Bench, inserts: &Inserts) -> Result<Findings> {
    let mut rounds = Vec::new();
    for number in 1..=bench.plan.rounds {
        let label = format!("round {number} of {}", bench.plan.rounds);
        let mut round = Round::default();
        yardsticks(bench, inserts, (&label, &mut round)).await?;
        roads(bench, (&label, &mut round)).await?;
        rounds.push(round);
    }
    let mut findings = road_findings::of(&rounds);
    findings.add(latency_findings::of(&rounds)?);
    Ok(findings)
}

async fn yardsticks(
    bench: &Bench,
    inserts: &Inserts,
    (label, round): (&str, &mut Round),
) -> Result<()> {
    let wanted = |part| bench.plan.has(part);
    if !wanted(Part::Inserts) && !wanted(Part::Broker) {
        return Ok(());
    }
    let servers = stack::nobody().await;
    rest::servers(&servers).await;
    if wanted(Part::Inserts) {
        let per_s = inserts.run(bench.plan.load()).await?;
        say(&format!("{label}: S, single inserts by pgbench: {} /s", shown(per_s)));
        round.inserts = Some(per_s);
        rest::servers(&servers).await;
    }
    if wanted(Part::Broker) {
        let found = broker::run(&servers, bench.plan.load()).await?;
        let (sent, through) = (shown(found.in_per_s), shown(found.through_per_s));
        say(&format!("{label}: B, one quorum queue: {sent} messages/s in, {through} /s through"));
        round.broker = Some(found);
    }
    Ok(())
}

async fn roads(bench: &Bench, (label, round): (&str, &mut Round)) -> Result<()> {
    let Bench { plan, load } = bench;
    if plan.has(Part::One) {
        let road = road::alone(bench, 1).await?;
        tell(label, "one order a message", &road.0);
        round.one = Some(road);
    }
    if plan.has(Part::Packs) {
        let road = road::alone(bench, plan.pack).await?;
        tell(label, "packs", &road.0);
        round.packs = Some(road);
    }
    if plan.has(Part::Crowd) {
        let road = road::alone(&bench.with_clients(CROWD), plan.pack).await?.0;
        tell(label, &format!("packs, {CROWD} clients"), &road);
        round.crowd = Some(road);
    }
    if plan.has(Part::Intake) {
        let world = stack::services(plan.pack).workers(0).start().await;
        load.run(&world, plan.warm_up()).await?;
        rest::servers(&world).await;
        let accepted = load.run(&world, plan.load()).await?;
        say(&format!("{label}: without workers {} /s accepted", shown(accepted.per_s)));
        round.intake = Some(accepted.per_s);
    }
    if plan.has(Part::Latency) {
        let world = stack::services(plan.pack).start().await;
        open::run(&world, STEADY_PER_S, plan.warm_up()).await?;
        rest::servers(&world).await;
        let times = open::run(&world, STEADY_PER_S, plan.load()).await?;
        let at =
            |p| shown(ms(std::time::Duration::from_micros(times.settled.value_at_quantile(p))));
        let (p50, p99) = (at(0.5), at(0.99));
        say(&format!("{label}: {STEADY_PER_S} orders/s, POST → final p50 {p50} ms, p99 {p99} ms"));
        round.latency = Some(times);
    }
    Ok(())
}

fn tell(label: &str, what: &str, road: &Road) {
    let (accepted, settled) = (shown(road.accepted.per_s), shown(road.settled_per_s));
    let cpu = road.cpu_per_1000().map_or("?".to_owned(), shown);
    say(&format!(
        "{label}: {what}: {accepted} /s accepted, {settled} /s settled, {cpu} s CPU for 1000"
    ));
}
