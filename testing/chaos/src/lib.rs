//! `make chaos`: the real binaries under load while everything that can break is broken, on a
//! schedule drawn from a seed; then a checker that knows only what the clients saw and what the
//! books say.
//!
//! Two order-management processes and three workers run on a PostgreSQL and a RabbitMQ of their
//! own, every connection through a [`FaultProxy`](testkit::fault_proxy::FaultProxy). The clients
//! place orders under keys and repeat what was not answered. When the schedule is over, everything
//! is healed, and `checker` holds history, database, gateway's books and queues against the
//! promises.

mod books;
mod checker;
mod clients;
mod evidence;
mod fault;
mod history;
mod intruder;
mod plan;
mod recovery;
mod report;
mod run;
pub mod sabotage;
mod schedule;
mod stage;
mod watch;
mod witness;

use anyhow::{Result, ensure};

pub use checker::{Finding, Verdict};
pub use plan::Plan;
pub use report::Report;

/// Does what the arguments say, shows it, and leaves a page in `target/chaos`.
///
/// # Errors
/// If the arguments make no sense, something can't be started, or a promise was broken.
pub async fn run(arguments: &[String]) -> Result<()> {
    let Some(plan) = Plan::from_arguments(arguments)? else {
        say(plan::HELP.trim_end());
        return Ok(());
    };
    if plan.only_schedule {
        schedule::drawn(&plan).iter().for_each(|step| say(&step.to_string()));
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

/// One campaign from the first order to the verdict.
///
/// # Errors
/// If something can't be started, healed or read. A broken promise is no error: it stands in the
/// report.
pub async fn campaign(plan: Plan) -> Result<Report> {
    let ran = run::play(&plan).await?;
    let verdict = checker::check(&ran.evidence);
    Ok(Report { plan, verdict, ran })
}

/// What a person at the terminal sees meanwhile. If nobody reads any more, that is no reason to
/// stop.
fn say(text: &str) {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{text}").ok();
}
