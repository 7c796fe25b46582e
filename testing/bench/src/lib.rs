//! `make bench`: what Ordermill does on this machine, beside what the same PostgreSQL and the same
//! RabbitMQ do in the same sitting when nobody asks more of them than they must.
//!
//! Everything runs with the durability it ships with: fsync and synchronous commit on, quorum
//! queues, persistent messages, publisher confirms. The services are the real release binaries.
//! Services, servers and load generators share the machine's cores.

mod drain;
mod figure;
mod load;
mod machine;
mod part;
mod placed;
mod plan;
mod program;
mod progress;
mod report;
mod stack;
mod watch;
mod yardstick;

use std::time::Instant;

use anyhow::Result;

use figure::Findings;
use load::closed::Closed;
use plan::{Part, Plan};
use progress::say;
use report::Report;
use yardstick::inserts::Inserts;

/// What every part works with.
#[derive(Clone, Debug)]
struct Bench {
    plan: Plan,
    load: std::sync::Arc<Closed>,
}

impl Bench {
    /// The same with another number of clients.
    fn with_clients(&self, clients: u32) -> Bench {
        Bench { plan: self.plan.clone(), load: self.load.of(clients).into() }
    }

    /// The same with another plan.
    fn with(&self, plan: Plan) -> Bench {
        Bench { plan, load: self.load.clone() }
    }
}

/// Measures what the arguments say, shows it, and leaves reports in `target/bench`.
///
/// # Errors
/// If the arguments make no sense, a program is not installed, something can't be started, orders
/// are refused or do not become final, or the reports can't be written.
pub async fn run(arguments: Vec<String>) -> Result<()> {
    let Some(plan) = Plan::from_arguments(&arguments)? else {
        say(plan::HELP.trim_end());
        return Ok(());
    };
    let began = Instant::now();
    let load = Closed::prepare(plan.clients).await?.into();
    say("starting PostgreSQL and RabbitMQ, and both services to look at them");
    let world = stack::services(1).start().await;
    let (taken_at, facts) = (machine::now(&world).await?, machine::facts(&world).await?);
    let inserts = Inserts::prepare(&world).await?;
    drop(world);
    let bench = Bench { plan, load };
    let findings = measure(&bench, &inserts).await?;
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    let report = Report { taken_at, minutes, plan: bench.plan, facts, findings };
    say(&report.table());
    for file in report.write()? {
        say(&format!("{}", file.display()));
    }
    Ok(())
}

async fn measure(bench: &Bench, inserts: &Inserts) -> Result<Findings> {
    let mut findings = part::rounds::measure(bench, inserts).await?;
    for part in &bench.plan.parts {
        findings.add(match part {
            // These are measured in rounds.
            Part::Inserts | Part::Broker | Part::One => Findings::default(),
            Part::Packs | Part::Crowd | Part::Intake | Part::Latency => Findings::default(),
            Part::Idle => part::idle::measure(bench).await?,
            Part::Growth => part::growth::measure(bench).await?,
            Part::Backlog => part::backlog::measure(bench).await?,
            Part::Gateway => part::gateway::workers(bench).await?,
            Part::SlowGateway => part::gateway::in_flight(bench).await?,
            Part::Scale => part::scale::measure(bench).await?,
            Part::Telemetry => part::telemetry::measure(bench).await?,
        });
    }
    Ok(findings)
}
