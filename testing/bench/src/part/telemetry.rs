//! The cost of telemetry: the same load without any output, and with metrics scraped every second,
//! one trace in a hundred sent to a collector, and JSON log lines about every order.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::super::figure::{Figure, Findings, Table, Target};
use super::super::progress::say;
use super::super::setup::Setup;
use super::super::stack;
use super::pipeline::{self, PipelineRun};
use super::round::CROWD;
use testkit::binaries::Binaries;
use testkit::collector::Collector;
use testkit::number::{error_of_median, median, shown};
use testkit::world::{World, WorldBuilder};

const CHAPTER: &str = "Telemetry";
/// Target for the settled orders per second with all output, divided by those without output.
const LEAST: Target = Target::AtLeast(0.95);
/// Interval between two scrapes of a process. Prometheus usually scrapes every 15 seconds.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(1);

/// Duration of one load of a variant, before the next variant is loaded.
const TURN: Duration = Duration::from_secs(3);

/// The output of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Variant {
    Nothing,
    Lines,
    Traces,
    Everything,
    /// No output, from another build.
    Against,
}

const VARIANTS: [(Variant, &str); 4] = [
    (Variant::Nothing, "nothing"),
    (Variant::Lines, "JSON lines at info"),
    (Variant::Traces, "1 % of the traces, to a collector beside it"),
    (Variant::Everything, "both, and metrics scraped every second"),
];

/// A variant on tables and queues of its own, with the results of its loads.
struct Side {
    variant: Variant,
    name: &'static str,
    world: World,
    collector: Collector,
    runs: Vec<PipelineRun>,
}

/// Measures settled orders per second and CPU of each variant. All variants run on the same servers
/// and are loaded in turn, for so short a time that a change of the machine's speed affects all
/// alike.
///
/// # Errors
/// If orders are refused or do not become final, or no span arrives.
pub(crate) async fn measure(setup: &Setup) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut crowds = vec![setup.plan.clients, CROWD];
    crowds.dedup();
    for clients in crowds {
        let setup = setup.with_clients(clients);
        let mut sides = Vec::new();
        for (variant, name) in variants(&setup) {
            let side = Side::start(&setup, variant, name).await?;
            pipeline::warm_up(&setup, &side.world).await?;
            sides.push(side);
        }
        for turn in 0..turns(&setup) {
            for side in &mut sides {
                side.load(&setup).await?;
            }
            print(clients, turn, &sides);
            // The first and the last variant of a turn have an advantage, so the order rotates.
            sides.rotate_left(1);
        }
        sides.sort_by_key(|side| side.variant);
        findings.add(findings_of(clients, &sides));
        for side in sides {
            side.stop().await?;
        }
    }
    Ok(findings)
}

fn variants(setup: &Setup) -> Vec<(Variant, &'static str)> {
    let mut variants = VARIANTS.to_vec();
    if setup.plan.against.is_some() {
        variants.push((Variant::Against, "nothing, by the other build"));
    }
    variants
}

/// Turns that take as long as the plan's rounds.
fn turns(setup: &Setup) -> u32 {
    let seconds = setup.plan.rounds * setup.plan.seconds;
    seconds.div_ceil(u32::try_from(TURN.as_secs()).unwrap_or(1))
}

impl Side {
    async fn start(setup: &Setup, variant: Variant, name: &'static str) -> Result<Side> {
        let collector = Collector::start()?;
        let services = stack::services(setup.plan.pack).env("RUST_LOG", "off");
        let services = match variant {
            Variant::Nothing => services,
            Variant::Lines => lines(services),
            Variant::Traces => traces(services, &collector),
            Variant::Everything => traces(lines(services), &collector),
            Variant::Against => match &setup.plan.against {
                Some(dir) => services.binaries(Binaries::in_dir(dir)),
                None => services,
            },
        };
        Ok(Side { variant, name, world: services.start().await, collector, runs: Vec::new() })
    }

    async fn load(&mut self, setup: &Setup) -> Result<()> {
        let mut scrapes = JoinSet::new();
        if self.variant == Variant::Everything {
            scrape(&self.world, &mut scrapes);
        }
        self.runs.push(pipeline::load(setup, &self.world, TURN).await?);
        Ok(())
    }

    async fn stop(self) -> Result<()> {
        let recorded = matches!(self.variant, Variant::Traces | Variant::Everything);
        stack::stop(&self.world).await?;
        let spans = self.collector.spans()?.len();
        ensure!(recorded == (spans > 0), "{}: {spans} spans", self.name);
        Ok(())
    }
}

fn print(clients: u32, turn: u32, sides: &[Side]) {
    for side in sides {
        let Some(run) = side.runs.last() else { continue };
        say(&format!(
            "telemetry, {clients} clients, turn {}, {}: {} /s settled; CPU µs an order: {}",
            turn + 1,
            side.name,
            shown(run.settled_per_s),
            shares(run)
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
                // A scrape that fails is repeated after the interval.
                if let Ok(answer) = http.get(&url).send().await {
                    drop(answer.bytes().await);
                }
                sleep(SCRAPE_INTERVAL).await;
            }
        });
    }
}

fn findings_of(clients: u32, sides: &[Side]) -> Findings {
    let nothing = sides.first().map(|side| side.runs.as_slice()).unwrap_or_default();
    let mut findings = Findings::default();
    let mut rows = Vec::new();
    for Side { variant, name, runs, .. } in sides {
        let speed = ratios(runs, nothing, |run| Some(run.settled_per_s));
        let cpu = ratios(runs, nothing, PipelineRun::cpu_per_1000);
        rows.push(vec![
            (*name).to_owned(),
            shown(median(&runs.iter().map(|run| run.settled_per_s).collect::<Vec<_>>())),
            with_error(&speed),
            with_error(&cpu),
        ]);
        if *variant == Variant::Everything {
            let name = format!("everything told, {clients} clients, settled ÷ nothing told");
            findings.figures.extend(Figure::of(CHAPTER, name, "", speed).map(|f| f.with(LEAST)));
            let name = format!("everything told, {clients} clients, CPU ÷ nothing told");
            findings.figures.extend(Figure::of(CHAPTER, name, "", cpu));
        }
    }
    let columns = ["output", "settled /s", "÷ nothing", "CPU ÷ nothing"];
    findings.tables.push(Table {
        title: format!("Cost of telemetry, {clients} clients"),
        columns: columns.map(str::to_owned).into(),
        rows,
        note: "Medians; ratios are per turn, ± is their standard error. All variants count their \
               metrics, the last one is scraped. The collector shares the cores."
            .to_owned(),
    });
    findings
}

/// The median with its standard error.
fn with_error(ratios: &[f64]) -> String {
    format!("{} ± {}", shown(median(ratios)), shown(error_of_median(ratios)))
}

/// The CPU per order, by kind of process.
fn shares(run: &PipelineRun) -> String {
    let each = run.cpu.map(|cpu| cpu.per_1000(run.orders)).unwrap_or_default();
    // Seconds for 1000 orders are milliseconds for one.
    let parts = each.iter().map(|(kind, spent)| format!("{kind} {}", shown(spent * 1_000.0)));
    parts.collect::<Vec<_>>().join(", ")
}

/// Each turn's value divided by the value without output in the same turn.
fn ratios(
    runs: &[PipelineRun],
    nothing: &[PipelineRun],
    value: fn(&PipelineRun) -> Option<f64>,
) -> Vec<f64> {
    let pairs = runs.iter().zip(nothing);
    pairs.filter_map(|(run, nothing)| Some(value(run)? / value(nothing)?)).collect()
}
