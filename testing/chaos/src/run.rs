//! The campaign itself: start, load and faults, healing, the last look.

use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::watch;

use super::books::{self, Books};
use super::clients::Clients;
use super::evidence::Evidence;
use super::fault::{ORDER_MANAGEMENTS, WORKERS};
use super::plan::Plan;
use super::schedule::{self, Step};
use super::stage::Stage;
use super::witness;
use super::{intruder, say, watch as memory};
use testkit::binaries::Binaries;
use testkit::eventually::wait_for;
use testkit::world::World;

/// Short enough that a charge without a verdict is asked again several times in a campaign.
const GATEWAY_TIMEOUT_MS: &str = "1000";
pub(super) const RETRY_DELAYS_MS: &str = "200,1000,2000";
/// A message leaves its rung after two seconds at most.
const RUNGS_EMPTY: Duration = Duration::from_secs(30);

/// A campaign that has happened.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Ran {
    /// What was to be broken; what was is in the evidence.
    pub(super) schedule: Vec<Step>,
    /// What was seen.
    pub(super) evidence: Evidence,
    /// The services' logs, by process, for the stories of orders.
    #[serde(skip)]
    pub(super) logs: Vec<(String, String)>,
}

/// From the first process to the last look into the books.
///
/// # Errors
/// If something can't be started, broken, healed or read.
pub(super) async fn play(plan: &Plan) -> Result<Ran> {
    let schedule = schedule::drawn(plan);
    say(&format!("seed {}, {} steps, {} clients", plan.seed, schedule.len(), plan.clients));
    let world = services(plan).start().await;
    let origin = witness::take_place(&world).await?;
    let (over, seen_over) = watch::channel(false);
    let clients = Clients::of(&world, origin.began, seen_over.clone())?;
    let stage = Stage::of(&world, origin.began);

    let placing = join_all((0..plan.clients).map(|number| clients.work(plan.seed, number)));
    let breaking = async {
        let broken = break_all(&stage, &schedule, plan.lasts).await;
        over.send_replace(true);
        broken
    };
    let intruding = intruder::intrude(&world, &clients, (plan.seed, seen_over.clone()));
    let watching = memory::memory(&world, origin.began, seen_over);
    let (_, broken, intrusions, memory) = tokio::join!(placing, breaking, intruding, watching);
    broken?;

    let nonsense = intrusions.nonsense.len();
    if let Err(not_ended) = end_of_all(&world, (nonsense, plan.patience)).await {
        say(&format!("not everything has ended: {not_ended:#}"));
    }
    let audited = world.audited().await?;
    stage.stop_all().await?;
    // A message that moves from a rung to its queue while both are read would be seen in neither.
    let rungs = books::rungs(RETRY_DELAYS_MS);
    let moved = async || world.depth_of(&rungs).await == 0;
    if let Err(not_moved) = wait_for("the rungs to be empty", RUNGS_EMPTY, moved).await {
        say(&format!("somebody is still at work: {not_moved}"));
    }
    let books = Books::read(&world, origin).await?;
    let logs = world.processes().map(|p| (p.name().to_owned(), p.log())).collect::<Vec<_>>();
    let history = clients.history().clone();
    let (mut marks, exits, looks) = stage.seen();
    marks.sort_by(|a, b| a.began.total_cmp(&b.began));
    let panics = logs.iter().flat_map(|(name, log)| panics(name, log)).collect();
    let audit = (audited.code != Some(0)).then_some(audited.said);
    let evidence =
        Evidence { history, intrusions, marks, exits, looks, memory, audit, panics, books };
    Ok(Ran { schedule, evidence, logs })
}

fn services(plan: &Plan) -> testkit::world::WorldBuilder {
    let world = World::builder().private_servers().proxied();
    let world = world.order_management(ORDER_MANAGEMENTS).workers(WORKERS);
    let world = world
        // What it would repair counts as broken.
        .order_management_env("RECONCILE_AFTER_MS", "86400000")
        .worker_env("GATEWAY_TIMEOUT_MS", GATEWAY_TIMEOUT_MS)
        .worker_env("GATEWAY_LATENCY_MS", "20")
        .worker_env("GATEWAY_JITTER_MS", "20")
        .worker_env("RETRY_DELAYS_MS", RETRY_DELAYS_MS);
    match &plan.binaries {
        Some(dir) => world.binaries(Binaries::in_dir(dir)),
        None => world,
    }
}

async fn break_all(stage: &Stage<'_>, schedule: &[Step], lasts: Duration) -> Result<()> {
    // A step is always played to its end: half a fault would leave something broken.
    let began = std::time::Instant::now();
    for step in schedule {
        if began.elapsed() >= lasts {
            break;
        }
        stage.play(step).await?;
    }
    stage.all_ready().await
}

/// Waits until nothing is pending that can end, nothing waits, and all nonsense is parked.
async fn end_of_all(world: &World, (nonsense, patience): (usize, Duration)) -> Result<()> {
    const PENDING: &str = "select count(*) from orders where status = 'Pending' \
                           and payment_method is distinct from 'pm_card_neverAnswers'";
    wait_for("every order to be final", patience, async || match world.try_count(PENDING).await {
        Ok(0) => Ok(()),
        Ok(pending) => Err(format!("{pending} pending")),
        Err(error) => Err(error.to_string()),
    })
    .await?;
    wait_for("the outbox to be empty", patience, async || {
        world.try_count("select count(*) from outbox").await.is_ok_and(|left| left == 0)
    })
    .await?;
    let nonsense = u32::try_from(nonsense).context("count the nonsense")?;
    wait_for("results and nonsense to be read", patience, async || {
        let waiting = world.queue_depth("processedorders").await;
        let parked = world.depth_of(&books::DEAD).await;
        if waiting == 0 && parked >= nonsense {
            Ok(())
        } else {
            Err(format!("{waiting} waiting, {parked} of {nonsense} parked"))
        }
    })
    .await?;
    Ok(())
}

fn panics(name: &str, log: &str) -> Vec<String> {
    let lines = log.lines().filter(|line| line.contains("panicked"));
    lines.map(|line| format!("{name}: {line}")).collect()
}
