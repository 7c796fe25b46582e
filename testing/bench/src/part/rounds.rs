//! Parts that are compared with each other are measured in the same sitting, in rounds, so that a
//! machine that becomes slower or faster does so for all of them. Every measurement has tables and
//! queues of its own, empty at its start, and waits until the servers are at rest.

use std::time::Duration;

use anyhow::Result;

use super::super::baseline::broker;
use super::super::baseline::inserts::Inserts;
use super::super::figure::Findings;
use super::super::load::open::{self, OpenLoopTimes};
use super::super::plan::Part;
use super::super::progress::say;
use super::super::setup::Setup;
use super::super::stack;
use super::super::watch::rest;
use super::pipeline::{self, PipelineRun};
use super::round::{CROWD, Round, STEADY_PER_S};
use super::{latency_findings, pipeline_findings};
use testkit::number::{ms, shown};

/// Measures, in rounds, those parts of the plan that belong here.
///
/// # Errors
/// If a component can't be started, or orders are refused or do not become final.
pub(crate) async fn measure(setup: &Setup, inserts: &Inserts) -> Result<Findings> {
    let mut rounds = Vec::new();
    for number in 1..=setup.plan.rounds {
        let label = format!("round {number} of {}", setup.plan.rounds);
        let mut round = Round::default();
        baselines(setup, inserts, &label, &mut round).await?;
        pipelines(setup, &label, &mut round).await?;
        if setup.plan.has(Part::Intake) {
            round.intake = Some(intake(setup, &label).await?);
        }
        if setup.plan.has(Part::Latency) {
            round.latency = Some(latency(setup, &label).await?);
        }
        rounds.push(round);
    }
    let mut findings = pipeline_findings::of(&rounds);
    findings.add(latency_findings::of(&rounds)?);
    Ok(findings)
}

async fn baselines(setup: &Setup, inserts: &Inserts, label: &str, round: &mut Round) -> Result<()> {
    let wanted = |part| setup.plan.has(part);
    if !wanted(Part::Inserts) && !wanted(Part::Broker) {
        return Ok(());
    }
    let servers = stack::servers_only().await;
    rest::servers(&servers).await;
    if wanted(Part::Inserts) {
        let per_s = inserts.run(setup.plan.load()).await?;
        say(&format!("{label}: S, single inserts by pgbench: {} /s", shown(per_s)));
        round.inserts = Some(per_s);
        rest::servers(&servers).await;
    }
    if wanted(Part::Broker) {
        let rates = broker::run(&servers, setup.plan.load()).await?;
        let (sent, through) = (shown(rates.in_per_s), shown(rates.through_per_s));
        say(&format!("{label}: B, one quorum queue: {sent} messages/s in, {through} /s through"));
        round.broker = Some(rates);
    }
    Ok(())
}

async fn pipelines(setup: &Setup, label: &str, round: &mut Round) -> Result<()> {
    let Setup { plan, .. } = setup;
    if plan.has(Part::One) {
        let run = pipeline::alone(setup, 1).await?;
        print(label, "one order a message", &run);
        round.one = Some(run);
    }
    if plan.has(Part::Packs) {
        let run = pipeline::alone(setup, plan.pack).await?;
        print(label, "packs", &run);
        round.packs = Some(run);
    }
    if plan.has(Part::Crowd) {
        let run = pipeline::alone(&setup.with_clients(CROWD), plan.pack).await?;
        print(label, &format!("packs, {CROWD} clients"), &run);
        round.crowd = Some(run);
    }
    Ok(())
}

async fn intake(setup: &Setup, label: &str) -> Result<f64> {
    let Setup { plan, load } = setup;
    let world = stack::services(plan.pack).workers(0).start().await;
    load.run(&world, plan.warm_up()).await?;
    rest::servers(&world).await;
    let accepted = load.run(&world, plan.load()).await?;
    say(&format!("{label}: without workers {} /s accepted", shown(accepted.per_s)));
    Ok(accepted.per_s)
}

async fn latency(setup: &Setup, label: &str) -> Result<OpenLoopTimes> {
    let plan = &setup.plan;
    let world = stack::services(plan.pack).start().await;
    open::run(&world, STEADY_PER_S, plan.warm_up()).await?;
    rest::servers(&world).await;
    let times = open::run(&world, STEADY_PER_S, plan.load()).await?;
    let at = |p| shown(ms(Duration::from_micros(times.settled.value_at_quantile(p))));
    let (p50, p99) = (at(0.5), at(0.99));
    say(&format!("{label}: {STEADY_PER_S} orders/s, POST → final p50 {p50} ms, p99 {p99} ms"));
    Ok(times)
}

fn print(label: &str, what: &str, run: &PipelineRun) {
    let (accepted, settled) = (shown(run.accepted.per_s), shown(run.settled_per_s));
    let cpu = run.cpu_per_1000().map_or("?".to_owned(), shown);
    say(&format!(
        "{label}: {what}: {accepted} /s accepted, {settled} /s settled, {cpu} s CPU for 1000"
    ));
}
