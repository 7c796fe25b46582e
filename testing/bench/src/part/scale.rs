//! Throughput with more processes of either kind on the same machine.

use std::time::Duration;

use anyhow::Result;

use super::super::figure::{Findings, Table};
use super::super::progress::say;
use super::super::setup::Setup;
use super::super::stack;
use super::pipeline::{self, PipelineRun};
use testkit::number::{median, shown};

/// The number of processes.
#[derive(Clone, Copy)]
struct Stack {
    order_managements: usize,
    workers: usize,
}

const fn processes(order_managements: usize, workers: usize) -> Stack {
    Stack { order_managements, workers }
}

const STACKS: [Stack; 6] = [
    processes(1, 1),
    processes(1, 2),
    processes(1, 4),
    processes(1, 8),
    processes(2, 2),
    processes(2, 4),
];
/// Bound of one load. A longer load would add no information, because the part has no target.
const LOAD_MAX: Duration = Duration::from_secs(8);

/// Measures settled orders per second of several stacks.
///
/// # Errors
/// If orders are refused or do not become final.
pub(crate) async fn measure(setup: &Setup) -> Result<Findings> {
    let mut short = setup.plan.clone();
    short.seconds = short.seconds.min(u32::try_from(LOAD_MAX.as_secs())?);
    let mut found: Vec<Vec<PipelineRun>> = STACKS.map(|_| Vec::new()).into();
    for number in 1..=short.rounds {
        for (Stack { order_managements, workers }, runs) in STACKS.into_iter().zip(&mut found) {
            let services = stack::services(short.pack);
            let services = services.order_management(order_managements).workers(workers);
            let world = services.start().await;
            let run = pipeline::measure(&setup.with_plan(short.clone()), &world).await?;
            say(&format!(
                "scale {number}: order-management {order_managements}, workers {workers}: \
                 {} /s settled",
                shown(run.settled_per_s)
            ));
            runs.push(run);
        }
    }
    let rows = STACKS.iter().zip(&found).map(|(stack, runs)| row(*stack, runs)).collect();
    let columns = ["order-managements", "workers", "accepted /s", "settled /s", "CPU s for 1000"];
    let table = Table {
        title: "More processes".to_owned(),
        columns: columns.map(str::to_owned).into(),
        rows,
        note: "Medians; all processes share the cores with the servers and the load generator."
            .to_owned(),
    };
    Ok(Findings { tables: vec![table], ..Findings::default() })
}

fn row(stack: Stack, runs: &[PipelineRun]) -> Vec<String> {
    let middle = |value: fn(&PipelineRun) -> Option<f64>| {
        shown(median(&runs.iter().filter_map(value).collect::<Vec<_>>()))
    };
    vec![
        stack.order_managements.to_string(),
        stack.workers.to_string(),
        middle(|run| Some(run.accepted.per_s)),
        middle(|run| Some(run.settled_per_s)),
        middle(PipelineRun::cpu_per_1000),
    ]
}
