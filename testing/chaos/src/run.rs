//! The campaign itself: start, load and faults, healing, the final reading.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::watch;

use super::adversary;
use super::clients::Clients;
use super::evidence::{AdversaryMessages, Evidence, Memory};
use super::fault::{ORDER_MANAGEMENTS, WORKERS};
use super::fault_injector::{FaultInjector, Observations};
use super::history::History;
use super::ledger::{self, Ledger};
use super::memory;
use super::plan::Plan;
use super::progress::say;
use super::schedule::{self, Step};
use super::status_trigger::{self, Origin};
use testkit::binaries::Binaries;
use testkit::eventually::wait_for;
use testkit::world::World;

/// Short, so that a charge without a verdict is attempted several times in a campaign.
const GATEWAY_TIMEOUT_MS: &str = "1000";
pub(super) const RETRY_DELAYS_MS: &str = "200,1000,2000";
/// Bound for the retry queues to empty: a message leaves its queue after two seconds at most.
const RETRY_QUEUES_EMPTY_TIMEOUT: Duration = Duration::from_secs(30);

/// A campaign that has run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CampaignRun {
    /// The planned faults; the evidence has those that happened.
    pub(super) schedule: Vec<Step>,
    /// The evidence.
    pub(super) evidence: Evidence,
    /// The services' logs by process, for the histories of orders.
    #[serde(skip)]
    pub(super) logs: Vec<(String, String)>,
}

/// Runs a campaign from the start of the processes to the final reading of tables and queues.
///
/// # Errors
/// If a component can't be started, broken, healed or read.
pub(super) async fn run(plan: &Plan) -> Result<CampaignRun> {
    let schedule = schedule::draw(plan);
    say(&format!("seed {}, {} steps, {} clients", plan.seed, schedule.len(), plan.clients));
    let world = services(plan).start().await;
    let origin = status_trigger::install(&world).await?;
    let injector = FaultInjector::new(&world, origin.began);
    let load = under_load(plan, &world, origin.began, inject(&injector, &schedule, plan)).await?;

    let nonsense = load.adversary.nonsense.len();
    if let Err(unfinished) = wait_until_finished(&world, nonsense, plan.drain_timeout).await {
        say(&format!("not everything has ended: {unfinished:#}"));
    }
    let audited = world.audited().await?;
    injector.stop_all().await?;
    let ledger = read_ledger(&world, origin).await?;

    let logs = world.processes().map(|p| (p.name().to_owned(), p.log())).collect::<Vec<_>>();
    let Observations { mut faults, exits, readiness_checks } = injector.into_observations();
    faults.sort_by(|a, b| a.began.total_cmp(&b.began));
    let Load { history, adversary, memory } = load;
    let evidence = Evidence {
        history,
        adversary,
        faults,
        exits,
        readiness_checks,
        memory,
        audit: (audited.code != Some(0)).then_some(audited.said),
        panics: logs.iter().flat_map(|(name, log)| panics(name, log)).collect(),
        ledger,
    };
    Ok(CampaignRun { schedule, evidence, logs })
}

fn services(plan: &Plan) -> testkit::world::WorldBuilder {
    let world = World::builder().private_servers().proxied();
    let world = world.order_management(ORDER_MANAGEMENTS).workers(WORKERS);
    let world = world
        // An order that only the reconciler would repair counts as a breach.
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

/// The records of clients, adversary and memory sampler.
struct Load {
    history: History,
    adversary: AdversaryMessages,
    memory: Vec<Memory>,
}

/// Runs clients, adversary and memory sampler until `faults` has ended.
async fn under_load(
    plan: &Plan,
    world: &World,
    began: Instant,
    faults: impl Future<Output = Result<()>>,
) -> Result<Load> {
    let (over, seen_over) = watch::channel(false);
    let clients = Clients::new(world, began, seen_over.clone())?;
    let placing = join_all((0..plan.clients).map(|number| clients.work(plan.seed, number)));
    let breaking = async {
        let broken = faults.await;
        over.send_replace(true);
        broken
    };
    let publishing = adversary::run(world, &clients, plan.seed, seen_over.clone());
    let sampling = memory::sample(world, began, seen_over);
    let (_, broken, adversary, memory) = tokio::join!(placing, breaking, publishing, sampling);
    broken?;
    let history = clients.history().clone();
    Ok(Load { history, adversary, memory })
}

/// Runs the schedule for the plan's time, then waits until every process is ready. A step is always
/// run to its end: half a step would leave a component broken.
async fn inject(injector: &FaultInjector<'_>, schedule: &[Step], plan: &Plan) -> Result<()> {
    let began = Instant::now();
    for step in schedule {
        if began.elapsed() >= plan.lasts {
            break;
        }
        injector.run_step(step).await?;
    }
    injector.all_ready().await
}

/// Waits until every order with a verdict is final, the outbox is empty, every result has been
/// read, and all nonsense is dead-lettered.
async fn wait_until_finished(world: &World, nonsense: usize, timeout: Duration) -> Result<()> {
    const PENDING: &str = "select count(*) from orders where status = 'Pending' \
                           and payment_method is distinct from 'pm_card_neverAnswers'";
    wait_for("every order to be final", timeout, async || match world.try_count(PENDING).await {
        Ok(0) => Ok(()),
        Ok(pending) => Err(format!("{pending} pending")),
        Err(error) => Err(error.to_string()),
    })
    .await?;
    wait_for("the outbox to be empty", timeout, async || {
        world.try_count("select count(*) from outbox").await.is_ok_and(|rows| rows == 0)
    })
    .await?;
    let nonsense = u32::try_from(nonsense).context("count the nonsense")?;
    wait_for("results and nonsense to be read", timeout, async || {
        let waiting = world.queue_depth("processedorders").await;
        let dead = world.depth_of(&ledger::DEAD).await;
        if waiting == 0 && dead >= nonsense {
            Ok(())
        } else {
            Err(format!("{waiting} waiting, {dead} of {nonsense} dead-lettered"))
        }
    })
    .await?;
    Ok(())
}

/// Reads tables and queues once the retry queues are empty: a message that moves from its retry
/// queue to the work queue between two readings would be in neither of them.
async fn read_ledger(world: &World, origin: Origin) -> Result<Ledger> {
    let retry_queues = ledger::retry_queues(RETRY_DELAYS_MS);
    let empty = async || world.depth_of(&retry_queues).await == 0;
    let what = "the retry queues to be empty";
    if let Err(not_empty) = wait_for(what, RETRY_QUEUES_EMPTY_TIMEOUT, empty).await {
        say(&format!("a message is still on its way: {not_empty}"));
    }
    Ledger::read(world, origin).await
}

fn panics(name: &str, log: &str) -> Vec<String> {
    let lines = log.lines().filter(|line| line.contains("panicked"));
    lines.map(|line| format!("{name}: {line}")).collect()
}
