//! The CPU use of idle processes.

use std::time::{Duration, Instant};

use anyhow::Result;
use nix::unistd::Pid;
use tokio::time::sleep;

use super::super::figure::{Figure, Findings, Target};
use super::super::progress::say;
use super::super::setup::Setup;
use super::super::stack;
use super::super::watch::{rest, stat};
use testkit::number::shown;

const CHAPTER: &str = "Idle";
/// Target, in percent of one core.
const MOST: Target = Target::AtMost(0.3);
/// Time between the start and the measurement.
const CALM: Duration = Duration::from_secs(3);

/// Measures the CPU of each process over 30 s, in a quick run over 10 s.
///
/// # Errors
/// If the services can't be started.
pub(crate) async fn measure(setup: &Setup) -> Result<Findings> {
    let long = Duration::from_secs(if setup.plan.quick { 10 } else { 30 });
    let world = stack::services(setup.plan.pack).start().await;
    rest::servers(&world).await;
    sleep(CALM).await;
    let named = world.processes().map(|process| Ok((process.name().to_owned(), process.pid()?)));
    let mut watched: Vec<(String, Pid)> = named.collect::<Result<_>>()?;
    let services = watched.len();
    let servers = world.isolation();
    watched.extend(servers.postgres().pid().map(|pid| ("PostgreSQL".to_owned(), pid)));
    watched.extend(servers.rabbitmq().pid().map(|pid| ("RabbitMQ".to_owned(), pid)));

    let spent = |watched: &[(String, Pid)]| -> Vec<Option<Duration>> {
        watched.iter().map(|(_, pid)| stat::family(*pid)).collect()
    };
    let (before, began) = (spent(&watched), Instant::now());
    sleep(long).await;
    let (after, elapsed) = (spent(&watched), began.elapsed());

    let mut figures = Vec::new();
    for (number, ((name, _), (after, before))) in
        watched.iter().zip(after.iter().zip(before)).enumerate()
    {
        let Some((after, before)) = after.zip(before) else { continue };
        let used = after.saturating_sub(before).as_secs_f64() / elapsed.as_secs_f64() * 100.0;
        say(&format!("idle: {name}: {} % of a core", shown(used)));
        let figure = Figure::of(CHAPTER, format!("idle, {name}"), "% of a core", [used]);
        figures.extend(figure.map(|f| if number < services { f.with(MOST) } else { f }));
    }
    Ok(Findings { figures, ..Findings::default() })
}
