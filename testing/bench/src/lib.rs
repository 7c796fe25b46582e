//! `make bench`: the performance of Ordermill on this machine, beside the performance of the same
//! PostgreSQL and the same RabbitMQ alone, measured in the same sitting.
//!
//! Every server runs with the durability of the product: fsync and synchronous commit on, quorum
//! queues, persistent messages, publisher confirms. The services are the real release binaries.
//! Services, servers and load generators share the machine's cores.

mod baseline;
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
mod results;
mod setup;
mod stack;
mod watch;

use std::time::Instant;

use anyhow::Result;

use baseline::inserts::Inserts;
use figure::Findings;
use load::closed::ClosedLoop;
use plan::{Part, Plan};
use progress::say;
use results::Results;
use setup::Setup;

/// Measures the parts that the command line names, prints the figures, and writes reports into
/// `target/bench`.
///
/// # Errors
/// If the arguments are invalid, a program is not installed, a component can't be started, orders
/// are refused or do not become final, or the reports can't be written.
pub async fn run(arguments: Vec<String>) -> Result<()> {
    let Some(plan) = Plan::from_arguments(&arguments)? else {
        say(plan::HELP.trim_end());
        return Ok(());
    };
    let began = Instant::now();
    let load = ClosedLoop::prepare(plan.clients).await?.into();
    say("starting PostgreSQL, RabbitMQ and both services to read their versions and settings");
    let world = stack::services(1).start().await;
    let (taken_at, facts) = (machine::now(&world).await?, machine::facts(&world).await?);
    let inserts = Inserts::prepare(&world).await?;
    drop(world);
    let setup = Setup { plan, load };
    let findings = measure(&setup, &inserts).await?;
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    let results = Results { taken_at, minutes, plan: setup.plan, facts, findings };
    say(&report::table(&results));
    for file in report::write(&results)? {
        say(&format!("{}", file.display()));
    }
    Ok(())
}

async fn measure(setup: &Setup, inserts: &Inserts) -> Result<Findings> {
    let mut findings = part::rounds::measure(setup, inserts).await?;
    for part in &setup.plan.parts {
        findings.add(match part {
            // `rounds` has measured these.
            Part::Inserts | Part::Broker | Part::One => Findings::default(),
            Part::Packs | Part::Crowd | Part::Intake | Part::Latency => Findings::default(),
            Part::Idle => part::idle::measure(setup).await?,
            Part::Growth => part::growth::measure(setup).await?,
            Part::Backlog => part::backlog::measure(setup).await?,
            Part::Gateway => part::gateway::workers(setup).await?,
            Part::SlowGateway => part::gateway::in_flight(setup).await?,
            Part::Scale => part::scale::measure(setup).await?,
            Part::Telemetry => part::telemetry::measure(setup).await?,
        });
    }
    Ok(findings)
}
