//! Throughput against the yardsticks, and what it costs.

use std::collections::BTreeSet;

use super::super::figure::{Figure, Findings, Shares, Table, Target};
use super::road::Road;
use super::rounds::Round;
use testkit::number::{median, shown};

const YARDSTICKS: &str = "Yardsticks";
const SPEED: &str = "Throughput";
const COST: &str = "Cost of an order";
const MEMORY: &str = "Memory under full load";
/// The two settings by name, with what they should cost in CPU seconds for 1000 orders.
const ONE: (&str, f64) = ("one order a message", 0.30);
const PACKS: (&str, f64) = ("packs", 0.15);

/// All that the rounds tell; what they left out is left out.
pub(super) fn of(rounds: &[Round]) -> Findings {
    let mut figures = yardsticks(rounds);
    figures.extend(against_the_broker(rounds));
    figures.extend(against_inserts(rounds));
    let mut findings = Findings { figures, ..Findings::default() };
    let one: Vec<&(Road, f64)> = rounds.iter().filter_map(|round| round.one.as_ref()).collect();
    let packs: Vec<&(Road, f64)> = rounds.iter().filter_map(|round| round.packs.as_ref()).collect();
    for (name, roads) in [(ONE, &one), (PACKS, &packs)] {
        findings.figures.extend(cost(name, roads));
        findings.shares.extend(shares(name.0, roads));
    }
    findings.figures.extend(memory(rounds));
    if !one.is_empty() || !packs.is_empty() {
        findings.tables.push(batches(&one, &packs));
    }
    findings
}

fn yardsticks(rounds: &[Round]) -> Vec<Figure> {
    let figure = |name: &str, value: fn(&Round) -> Option<f64>| {
        Figure::of(YARDSTICKS, name, "/s", rounds.iter().filter_map(value))
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
        figure("accepted, one order a message", "/s", |r| Some(r.one.as_ref()?.0.accepted.per_s)),
        figure("settled, one order a message", "/s", |r| Some(r.one.as_ref()?.0.settled_per_s)),
        figure("settled, one order a message ÷ (B/2)", "", |r| {
            Some(r.one.as_ref()?.0.settled_per_s / (r.broker?.orders_per_s()))
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
    let settled = |r: &Round| Some(r.packs.as_ref()?.0.settled_per_s);
    let crowd = |r: &Round| Some(r.crowd.as_ref()?.settled_per_s);
    let accepted = |r: &Round| Some(r.packs.as_ref()?.0.accepted.per_s);
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
            Some(r.packs.as_ref()?.0.accepted.p50_ms)
        }),
        figure("POST answered under full load, packs, p99", "ms", |r| {
            Some(r.packs.as_ref()?.0.accepted.p99_ms)
        }),
    ];
    all.into_iter().flatten().collect()
}

fn cost((name, most): (&str, f64), roads: &[&(Road, f64)]) -> Vec<Figure> {
    let figure = |what: &str, unit, value: fn(&(Road, f64)) -> Option<f64>| {
        let values = roads.iter().filter_map(|road| value(road));
        Figure::of(COST, format!("{what}, {name}"), unit, values)
    };
    let all = [
        figure("CPU for 1000 settled orders", "s", |(road, _)| road.cpu_per_1000())
            .map(|figure| figure.with(Target::AtMost(most))),
        figure("machine busy", "%", |(road, _)| Some(road.busy? * 100.0)),
        figure("WAL an order", "bytes", |(road, _)| Some(road.written.wal)),
        figure("heap an order", "bytes", |(road, _)| Some(road.written.heap)),
        figure("indexes an order", "bytes", |(road, _)| Some(road.written.indexes)),
        figure("commits for 1000 orders", "", |(_, commits)| Some(*commits)),
        figure("left to the sweep, of 1000 orders", "", |(road, _)| Some(road.swept_per_1000)),
    ];
    all.into_iter().flatten().collect()
}

/// The largest of all settings in each round: a peak is not a matter of the middle.
fn memory(rounds: &[Round]) -> Vec<Figure> {
    let figure = |name: &str, value: fn(&Road) -> Option<f64>| {
        let peak = |round: &Round| {
            let both = [&round.one, &round.packs].into_iter().flatten().map(|(road, _)| road);
            both.chain(&round.crowd).filter_map(value).reduce(f64::max)
        };
        let figure = Figure::of(MEMORY, name, "MB", rounds.iter().filter_map(peak));
        figure.map(|figure| figure.with(Target::AtMost(40.0)))
    };
    let order_management = figure("peak memory, order-management", |road| road.order_management_mb);
    let worker = figure("peak memory, worker", |road| road.worker_mb);
    order_management.into_iter().chain(worker).collect()
}

fn shares(name: &str, roads: &[&(Road, f64)]) -> Option<Shares> {
    let each: Vec<_> =
        roads.iter().filter_map(|(road, _)| Some(road.cpu?.per_1000(road.orders))).collect();
    let kinds = each.first()?.iter().map(|(kind, _)| *kind);
    let middle = |kind: &'static str| {
        let of_kind = each.iter().flatten().filter(|(other, _)| *other == kind);
        (kind, median(&of_kind.map(|(_, seconds)| *seconds).collect::<Vec<_>>()))
    };
    Some(Shares { name: name.to_owned(), parts: kinds.map(middle).collect() })
}

fn batches(one: &[&(Road, f64)], packs: &[&(Road, f64)]) -> Table {
    let both = one.iter().chain(packs);
    let stages: BTreeSet<&String> = both.flat_map(|(road, _)| road.batches.keys()).collect();
    let cell = |roads: &[&(Road, f64)], stage: &String| {
        let means = roads.iter().filter_map(|(road, _)| road.batches.get(stage).copied());
        let means: Vec<f64> = means.collect();
        if means.is_empty() { "–".to_owned() } else { shown(median(&means)) }
    };
    let row = |stage: &String| vec![stage.clone(), cell(one, stage), cell(packs, stage)];
    Table {
        title: "Mean batch by stage".to_owned(),
        columns: ["stage", ONE.0, PACKS.0].map(str::to_owned).into(),
        rows: stages.into_iter().map(row).collect(),
        note: "Items taken through a stage together, from first POST to last final status."
            .to_owned(),
    }
}
