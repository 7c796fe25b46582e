//! Throughput compared with the baselines, and the cost of an order.

use std::collections::BTreeSet;

use super::super::figure::{Figure, Findings, Shares, Table, Target};
use super::pipeline::PipelineRun;
use super::round::Round;
use testkit::number::{median, shown};

const BASELINES: &str = "Baselines";
const SPEED: &str = "Throughput";
const COST: &str = "Cost of an order";
const MEMORY: &str = "Memory under full load";

/// A way of sending payment requests.
#[derive(Clone, Copy)]
struct Setting {
    name: &'static str,
    /// Target for the CPU seconds of 1000 orders.
    cpu_per_1000: f64,
}

const ONE: Setting = Setting { name: "one order a message", cpu_per_1000: 0.30 };
const PACKS: Setting = Setting { name: "packs", cpu_per_1000: 0.15 };

/// The findings of all rounds; parts that were not measured are left out.
pub(super) fn of(rounds: &[Round]) -> Findings {
    let mut figures = baselines(rounds);
    figures.extend(against_the_broker(rounds));
    figures.extend(against_inserts(rounds));
    let mut findings = Findings { figures, ..Findings::default() };
    let one: Vec<&PipelineRun> = rounds.iter().filter_map(|round| round.one.as_ref()).collect();
    let packs: Vec<&PipelineRun> = rounds.iter().filter_map(|round| round.packs.as_ref()).collect();
    for (setting, runs) in [(ONE, &one), (PACKS, &packs)] {
        findings.figures.extend(cost(setting, runs));
        findings.shares.extend(shares(setting.name, runs));
    }
    findings.figures.extend(memory(rounds));
    if !one.is_empty() || !packs.is_empty() {
        findings.tables.push(batches(&one, &packs));
    }
    findings
}

fn baselines(rounds: &[Round]) -> Vec<Figure> {
    let figure = |name: &str, value: fn(&Round) -> Option<f64>| {
        Figure::of(BASELINES, name, "/s", rounds.iter().filter_map(value))
    };
    let all = [
        figure("S: order and outbox row a commit, pgbench -c64", |r| r.inserts),
        figure("B: messages into one quorum queue, confirmed", |r| Some(r.broker?.in_per_s)),
        figure("B: messages through one quorum queue, acked", |r| Some(r.broker?.through_per_s)),
        figure("B/2: orders, if each takes two messages", |r| Some(r.broker?.orders_per_s())),
    ];
    all.into_iter().flatten().collect()
}

fn against_the_broker(rounds: &[Round]) -> Vec<Figure> {
    let figure = |name: &str, unit, value: fn(&Round) -> Option<f64>| {
        Figure::of(SPEED, name, unit, rounds.iter().filter_map(value))
    };
    let all = [
        figure("accepted, one order a message", "/s", |r| Some(r.one.as_ref()?.accepted.per_s)),
        figure("settled, one order a message", "/s", |r| Some(r.one.as_ref()?.settled_per_s)),
        figure("settled, one order a message ÷ (B/2)", "", |r| {
            Some(r.one.as_ref()?.settled_per_s / (r.broker?.orders_per_s()))
        })
        .map(|figure| figure.with(Target::AtLeast(1.0))),
    ];
    all.into_iter().flatten().collect()
}

fn against_inserts(rounds: &[Round]) -> Vec<Figure> {
    let figure = |name: &str, unit, value: fn(&Round) -> Option<f64>| {
        Figure::of(SPEED, name, unit, rounds.iter().filter_map(value))
    };
    let ratio = |name: &str, least: Option<f64>, value: fn(&Round) -> Option<f64>| {
        let ratios = rounds.iter().filter_map(|round| Some(value(round)? / round.inserts?));
        let figure = Figure::of(SPEED, name, "", ratios)?;
        Some(match least {
            Some(least) => figure.with(Target::AtLeast(least)),
            None => figure,
        })
    };
    let settled = |r: &Round| Some(r.packs.as_ref()?.settled_per_s);
    let crowd = |r: &Round| Some(r.crowd.as_ref()?.settled_per_s);
    let accepted = |r: &Round| Some(r.packs.as_ref()?.accepted.per_s);
    let all = [
        figure("accepted, packs", "/s", accepted),
        figure("settled, packs", "/s", settled),
        ratio("settled, packs ÷ S", None, settled),
        figure("settled, packs, 256 clients", "/s", crowd),
        ratio("settled, packs, 256 clients ÷ S", Some(1.0), crowd),
        ratio("accepted, everything running ÷ S", None, accepted),
        figure("accepted, workers stopped", "/s", |r| r.intake),
        ratio("accepted, workers stopped ÷ S", Some(1.5), |r| r.intake),
        figure("POST answered under full load, packs, p50", "ms", |r| {
            Some(r.packs.as_ref()?.accepted.p50_ms)
        }),
        figure("POST answered under full load, packs, p99", "ms", |r| {
            Some(r.packs.as_ref()?.accepted.p99_ms)
        }),
    ];
    all.into_iter().flatten().collect()
}

fn cost(setting: Setting, runs: &[&PipelineRun]) -> Vec<Figure> {
    let figure = |what: &str, unit, value: fn(&PipelineRun) -> Option<f64>| {
        let values = runs.iter().filter_map(|run| value(run));
        Figure::of(COST, format!("{what}, {}", setting.name), unit, values)
    };
    let all = [
        figure("CPU for 1000 settled orders", "s", PipelineRun::cpu_per_1000)
            .map(|figure| figure.with(Target::AtMost(setting.cpu_per_1000))),
        figure("machine busy", "%", |run| Some(run.busy? * 100.0)),
        figure("WAL an order", "bytes", |run| Some(run.written.wal)),
        figure("heap an order", "bytes", |run| Some(run.written.heap)),
        figure("indexes an order", "bytes", |run| Some(run.written.indexes)),
        figure("commits for 1000 orders", "", |run| run.commits_per_1000),
        figure("left to the sweep, of 1000 orders", "", |run| Some(run.swept_per_1000)),
    ];
    all.into_iter().flatten().collect()
}

/// The maximum over all settings of each round, because a peak has no meaningful median.
fn memory(rounds: &[Round]) -> Vec<Figure> {
    let figure = |name: &str, value: fn(&PipelineRun) -> Option<f64>| {
        let peak = |round: &Round| {
            let runs = [&round.one, &round.packs, &round.crowd].into_iter().flatten();
            runs.filter_map(value).reduce(f64::max)
        };
        let figure = Figure::of(MEMORY, name, "MB", rounds.iter().filter_map(peak));
        figure.map(|figure| figure.with(Target::AtMost(40.0)))
    };
    let order_management = figure("peak memory, order-management", |run| run.order_management_mb);
    let worker = figure("peak memory, worker", |run| run.worker_mb);
    order_management.into_iter().chain(worker).collect()
}

fn shares(name: &str, runs: &[&PipelineRun]) -> Option<Shares> {
    let each: Vec<_> = runs.iter().filter_map(|run| Some(run.cpu?.per_1000(run.orders))).collect();
    let kinds = each.first()?.iter().map(|(kind, _)| *kind);
    let middle = |kind: &'static str| {
        let of_kind = each.iter().flatten().filter(|(other, _)| *other == kind);
        (kind, median(&of_kind.map(|(_, seconds)| *seconds).collect::<Vec<_>>()))
    };
    Some(Shares { name: name.to_owned(), parts: kinds.map(middle).collect() })
}

fn batches(one: &[&PipelineRun], packs: &[&PipelineRun]) -> Table {
    let both = one.iter().chain(packs);
    let stages: BTreeSet<&String> = both.flat_map(|run| run.batches.keys()).collect();
    let cell = |runs: &[&PipelineRun], stage: &String| {
        let means = runs.iter().filter_map(|run| run.batches.get(stage).copied());
        let means: Vec<f64> = means.collect();
        if means.is_empty() { "–".to_owned() } else { shown(median(&means)) }
    };
    let row = |stage: &String| vec![stage.clone(), cell(one, stage), cell(packs, stage)];
    Table {
        title: "Mean batch by stage".to_owned(),
        columns: ["stage", ONE.name, PACKS.name].map(str::to_owned).into(),
        rows: stages.into_iter().map(row).collect(),
        note: "Items of one batch of a stage, from the first POST to the last final status."
            .to_owned(),
    }
}
