//! What it costs to tell everything: the same load with nothing told, and with metrics scraped every
//! second, one trace in a hundred sent to a collector, and JSON lines about every order.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::super::Bench;
use super::super::figure::{Figure, Findings, Table, Target};
use super::super::progress::say;
use super::super::stack;
use super::road::{self, Road};
use super::rounds::CROWD;
use crate::binaries::Binaries;
use crate::collector::Collector;
use crate::number::{median, shown};
use crate::world::{World, WorldBuilder};

const CHAPTER: &str = "Telemetry";
/// Settled orders a second with everything told, for each one with nothing told.
const LEAST: Target = Target::AtLeast(0.95);
/// Between two looks at `/metrics`. Prometheus looks every 15 seconds as a rule.
const SCRAPE: Duration = Duration::from_secs(1);

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Lines,
    Traces,
    Everything,
    /// Nothing, by another build.
    Against,
}

const VARIANTS: [(Told, &str); 4] = [
    (Told::Nothing, "nothing"),
    (Told::Lines, "JSON lines at info"),
    (Told::Traces, "1 % of the traces, to a collector beside it"),
    (Told::Everything, "both, and metrics scraped every second"),
];

/// Settled orders a second and CPU of each variant, one after the other in each round.
///
/// # Errors
/// If orders are refused or do not become final, or no span arrives.
pub(in crate::bench) async fn measure(bench: &Bench) -> Result<Findings> {
    let mut variants = VARIANTS.to_vec();
    variants.extend(
        bench.plan.against.as_ref().map(|_| (Told::Against, "nothing, by the other build")),
    );
    let mut findings = Findings::default();
    for clients in [bench.plan.clients, CROWD] {
        let bench = bench.with_clients(clients);
        let mut found: Vec<Vec<Road>> = variants.iter().map(|_| Vec::new()).collect();
        for number in 1..=bench.plan.rounds {
            let mut order: Vec<_> = variants.iter().zip(&mut found).collect();
            // What comes first or last in a round has it easier: each gets its turn at it.
            if number % 2 == 0 {
                order.reverse();
            }
            for ((told, name), roads) in order {
                let road = one(&bench, *told).await?;
                say(&format!(
                    "telemetry {number}, {clients} clients, {name}: {} /s settled; CPU µs an order: {}",
                    shown(road.settled_per_s),
                    shares(&road)
                ));
                roads.push(road);
            }
        }
        findings.add(findings_of(clients, &variants, &found));
    }
    Ok(findings)
}

async fn one(bench: &Bench, told: Told) -> Result<Road> {
    let collector = Collector::start()?;
    let services = stack::services(bench.plan.pack);
    let mut services = match told {
        Told::Nothing => services.env("RUST_LOG", "off"),
        Told::Lines => lines(services),
        Told::Traces => traces(services.env("RUST_LOG", "off"), &collector),
        Told::Everything => traces(lines(services), &collector),
        Told::Against => services.env("RUST_LOG", "off"),
    };
    if let (Told::Against, Some(dir)) = (told, &bench.plan.against) {
        services = services.binaries(Binaries::in_dir(dir));
    }
    let world = services.start().await;
    let mut scrapes = JoinSet::new();
    if told == Told::Everything {
        scrape(&world, &mut scrapes);
    }
    let road = road::measure(bench, &world).await?;
    let recorded = matches!(told, Told::Traces | Told::Everything);
    stack::stop(&world).await?;
    ensure!(recorded != collector.spans().is_empty(), "spans: {}", collector.spans().len());
    Ok(road)
}

fn lines(services: WorldBuilder) -> WorldBuilder {
    services.env("RUST_LOG", "info").env("LOG_FORMAT", "json")
}

fn traces(services: WorldBuilder, collector: &Collector) -> WorldBuilder {
    services
        .env("OTEL_TRACES_EXPORTER", "otlp")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.otlp_endpoint())
        .env("OTEL_TRACES_SAMPLER_ARG", "0.01")
}

fn scrape(world: &World, scrapes: &mut JoinSet<()>) {
    for process in world.processes() {
        let (http, url) = (world.http().clone(), process.ops_url("/metrics"));
        scrapes.spawn(async move {
            loop {
                // A process that is late with its answer is asked again.
                if let Ok(answer) = http.get(&url).send().await {
                    drop(answer.bytes().await);
                }
                sleep(SCRAPE).await;
            }
        });
    }
}

fn findings_of(clients: u32, variants: &[(Told, &str)], found: &[Vec<Road>]) -> Findings {
    let nothing = found.first().map(Vec::as_slice).unwrap_or_default();
    let mut findings = Findings::default();
    let mut rows = Vec::new();
    for ((told, name), roads) in variants.iter().zip(found) {
        let speed = ratios(roads, nothing, |road| Some(road.settled_per_s));
        let cpu = ratios(roads, nothing, Road::cpu_per_1000);
        rows.push(vec![
            (*name).to_owned(),
            shown(median(&roads.iter().map(|road| road.settled_per_s).collect::<Vec<_>>())),
            shown(median(&speed)),
            shown(median(&cpu)),
        ]);
        if *told == Told::Everything {
            let name = format!("everything told, {clients} clients, settled ÷ nothing told");
            findings.figures.extend(Figure::of(CHAPTER, name, "", speed).map(|f| f.with(LEAST)));
            let name = format!("everything told, {clients} clients, CPU ÷ nothing told");
            findings.figures.extend(Figure::of(CHAPTER, name, "", cpu));
        }
    }
    let columns = ["told", "settled /s", "÷ nothing", "CPU ÷ nothing"];
    findings.tables.push(Table {
        title: format!("What telling costs, {clients} clients"),
        columns: columns.map(str::to_owned).into(),
        rows,
        note: "Medians; ratios are taken round by round. Metrics are counted in all of them and \
               scraped in the last. The collector shares the cores."
            .to_owned(),
    });
    findings
}

/// Who spent it.
fn shares(road: &Road) -> String {
    let each = road.cpu.map(|cpu| cpu.per_1000(road.orders)).unwrap_or_default();
    // Seconds for 1000 orders are milliseconds for one.
    let part = |(who, spent): (&str, f64)| format!("{who} {}", shown(spent * 1_000.0));
    each.into_iter().map(part).collect::<Vec<_>>().join(", ")
}

/// Each round's value by that of the same round with nothing told.
fn ratios(roads: &[Road], nothing: &[Road], value: fn(&Road) -> Option<f64>) -> Vec<f64> {
    let pairs = roads.iter().zip(nothing);
    pairs.filter_map(|(road, nothing)| Some(value(road)? / value(nothing)?)).collect()
}
