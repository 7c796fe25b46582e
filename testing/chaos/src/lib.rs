//! `make chaos`: the real binaries under load while every component that can break is broken, on a
//! schedule drawn from a seed; then a checker whose only sources are the clients' records, the
//! tables, the gateway's ledger and the queues.
//!
//! Two order-management processes and three workers run on a PostgreSQL and a RabbitMQ of their
//! own, every connection through a [`FaultProxy`](testkit::fault_proxy::FaultProxy). The clients
//! place orders under keys and repeat each request until it is answered. After the schedule every
//! fault is healed, and `checker` compares history, database, ledger and queues with the promises.

mod adversary;
mod campaign;
mod checker;
mod clients;
mod evidence;
mod fault;
mod fault_injector;
mod history;
mod ledger;
mod memory;
mod plan;
mod progress;
mod recovery;
mod report;
mod run;
pub mod sabotage;
mod schedule;
mod status_trigger;

use anyhow::{Result, ensure};

pub use campaign::{Report, campaign};
pub use checker::{Finding, Verdict};
pub use plan::Plan;
use progress::say;

/// Does what the command line asks for, prints the result and writes a page into `target/chaos`.
///
/// # Errors
/// If the arguments are invalid, a component can't be started, or a promise was broken.
pub async fn run(arguments: &[String]) -> Result<()> {
    let Some(plan) = Plan::from_arguments(arguments)? else {
        say(plan::HELP.trim_end());
        return Ok(());
    };
    if plan.only_schedule {
        schedule::draw(&plan).iter().for_each(|step| say(&step.to_string()));
        return Ok(());
    }
    if let Some(name) = &plan.sabotage {
        return sabotage::try_all(name, plan.seed).await;
    }
    let report = campaign(plan).await?;
    say(&report.text());
    for file in report.write()? {
        say(&format!("{}", file.display()));
    }
    let broken = report.verdict.broken();
    ensure!(broken.is_empty(), "{} broken with seed {}", broken.join(", "), report.plan.seed);
    Ok(())
}
