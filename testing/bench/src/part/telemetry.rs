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
use testkit::binaries::Binaries;
use testkit::collector::Collector;
use testkit::number::{error_of_median, median, shown};
use testkit::world::{World, WorldBuilder};

const CHAPTER: &str = "Telemetry";
/// Settled orders a second with everything told, for each one with nothing told.
const LEAST: Target = Target::AtLeast(0.95);
/// Between two looks at `/metrics`. Prometheus looks every 15 seconds as a rule.
const SCRAPE: Duration = Duration::from_secs(1);

/// How long a variant is loaded until the next one is.
const TURN: Duration = Duration::from_secs(3);

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SpanRecord {
    Nothing,
    Lines,
    Traces,
    Everything,
    /// Nothing, by another build.
    Against,
}

const VARIANTS: [(SpanRecord, &str); 4] = [
    (SpanRecord::Nothing, "nothing"),
    (SpanRecord::Lines, "JSON lines at info"),
    (SpanRecord::Traces, "1 % of the traces, to a collector beside it"),
    (SpanRecord::Everything, "both, and metrics scraped every second"),
];

/// A variant on tables and queues of its own, and what its loads came to.
struct Side {
    told: SpanRecord,
    name: &'static str,
    world: World,
    collector: Collector,
    roads: Vec<Road>,
}

/// Settled orders a second and CPU of each variant. All of them run side by side on the same
/// servers and are loaded in turn, for so short a time that the machine's moods come to all alike.
///
/// # Errors
/// If orders are refused or do not become final, or no span arrives.
pub(crate) async fn measure(bench: &Bench) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut crowds = vec![bench.plan.clients, CROWD];
    crowds.dedup();
    for clients in crowds {
        let bench = bench.with_clients(clients);
        let mut sides = Vec::new();
        for (told, name) in variants(&bench) {
            let side = Side::start(&bench, told, name).await?;
            road::warm_up(&bench, &side.world).await?;
            sides.push(side);
        }
        for turn in 0..turns(&bench) {
            for side in &mut sides {
                side.load(&bench).await?;
            }
            say_of(clients, turn, &sides);
            // Who comes first or last has it easier: each gets its turn at it.
            sides.rotate_left(1);
        }
        sides.sort_by_key(|side| side.told);
        findings.add(findings_of(clients, &sides));
        for side in sides {
            side.stop().await?;
        }
    }
    Ok(findings)
}

fn variants(bench: &Bench) -> Vec<(SpanRecord, &'static str)> {
    let mut variants = VARIANTS.to_vec();
    if bench.plan.against.is_some() {
        variants.push((SpanRecord::Against, "nothing, by the other build"));
    }
    variants
}

/// As many as make up the plan's rounds.
fn turns(bench: &Bench) -> u32 {
    let seconds = bench.plan.rounds * bench.plan.seconds;
    seconds.div_ceil(u32::try_from(TURN.as_secs()).unwrap_or(1))
}

impl Side {
    async fn start(bench: &Bench, told: SpanRecord, name: &'static str) -> Result<Side> {
        let collector = Collector::start()?;
        let services = stack::services(bench.plan.pack).env("RUST_LOG", "off");
        let services = match told {
            SpanRecord::Nothing => services,
            SpanRecord::Lines => lines(services),
            SpanRecord::Traces => traces(services, &collector),
            SpanRecord::Everything => traces(lines(services), &collector),
            SpanRecord::Against => match &bench.plan.against {
                Some(dir) => services.binaries(Binaries::in_dir(dir)),
                None => services,
            },
        };
        Ok(Side { told, name, world: services.start().await, collector, roads: Vec::new() })
    }

    async fn load(&mut self, bench: &Bench) -> Result<()> {
        let mut scrapes = JoinSet::new();
        if self.told == SpanRecord::Everything {
            scrape(&self.world, &mut scrapes);
        }
        self.roads.push(road::load(bench, &self.world, TURN).await?);
        Ok(())
    }

    async fn stop(self) -> Result<()> {
        let recorded = matches!(self.told, SpanRecord::Traces | SpanRecord::Everything);
        stack::stop(&self.world).await?;
        let spans = self.collector.spans()?.len();
        ensure!(recorded == (spans > 0), "{}: {spans} spans", self.name);
        Ok(())
    }
}

fn say_of(clients: u32, turn: u32, sides: &[Side]) {
    for side in sides {
        let Some(road) = side.roads.last() else { continue };
        say(&format!(
            "telemetry, {clients} clients, turn {}, {}: {} /s settled; CPU µs an order: {}",
            turn + 1,
            side.name,
            shown(road.settled_per_s),
            shares(road)
        ));
    }
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

fn findings_of(clients: u32, sides: &[Side]) -> Findings {
    let nothing = sides.first().map(|side| side.roads.as_slice()).unwrap_or_default();
    let mut findings = Findings::default();
    let mut rows = Vec::new();
    for Side { told, name, roads, .. } in sides {
        let speed = ratios(roads, nothing, |road| Some(road.settled_per_s));
        let cpu = ratios(roads, nothing, Road::cpu_per_1000);
        rows.push(vec![
            (*name).to_owned(),
            shown(median(&roads.iter().map(|road| road.settled_per_s).collect::<Vec<_>>())),
            with_error(&speed),
            with_error(&cpu),
        ]);
        if *told == SpanRecord::Everything {
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
        note: "Medians; ratios are taken turn by turn, ± is their standard error. Metrics are counted \
               in all of them and scraped in the last. The collector shares the cores."
            .to_owned(),
    });
    findings
}

/// The median, and how far it may be off for so few turns.
fn with_error(ratios: &[f64]) -> String {
    format!("{} ± {}", shown(median(ratios)), shown(error_of_median(ratios)))
}

/// Who spent it.
fn shares(road: &Road) -> String {
    let each = road.cpu.map(|cpu| cpu.per_1000(road.orders)).unwrap_or_default();
    // Seconds for 1000 orders are milliseconds for one.
    let part = |(who, spent): (&str, f64)| format!("{who} {}", shown(spent * 1_000.0));
    each.into_iter().map(part).collect::<Vec<_>>().join(", ")
}

/// Each turn's value by that of the same turn with nothing told.
fn ratios(roads: &[Road], nothing: &[Road], value: fn(&Road) -> Option<f64>) -> Vec<f64> {
    let pairs = roads.iter().zip(nothing);
    pairs.filter_map(|(road, nothing)| Some(value(road)? / value(nothing)?)).collect()
}
