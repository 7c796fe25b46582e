//! More processes of either kind on the same machine.

use std::time::Duration;

use anyhow::Result;

use super::super::Bench;
use super::super::figure::{Findings, Table};
use super::super::progress::say;
use super::super::stack;
use super::road::{self, Road};
use testkit::number::{median, shown};

/// order-managements and workers.
const STACKS: [(usize, usize); 6] = [(1, 1), (1, 2), (1, 4), (1, 8), (2, 2), (2, 4)];
/// Longer loads would tell no more: this is about more or less, not about a target.
const LOAD_MAX: Duration = Duration::from_secs(8);

/// Settled orders a second of several stacks.
///
/// # Errors
/// If orders are refused or do not become final.
pub(crate) async fn measure(bench: &Bench) -> Result<Findings> {
    let mut short = bench.plan.clone();
    short.seconds = short.seconds.min(u32::try_from(LOAD_MAX.as_secs())?);
    let mut found: Vec<Vec<Road>> = STACKS.map(|_| Vec::new()).into();
    for number in 1..=short.rounds {
        for ((order_managements, workers), roads) in STACKS.into_iter().zip(&mut found) {
            let services = stack::services(short.pack);
            let services = services.order_management(order_managements).workers(workers);
            let world = services.start().await;
            let road = road::measure(&bench.with(short.clone()), &world).await?;
            say(&format!(
                "scale {number}: order-management {order_managements}, workers {workers}: \
                 {} /s settled",
                shown(road.settled_per_s)
            ));
            roads.push(road);
        }
    }
    let rows = STACKS.iter().zip(&found).map(|(stack, roads)| row(*stack, roads)).collect();
    let columns = ["order-managements", "workers", "accepted /s", "settled /s", "CPU s for 1000"];
    let table = Table {
        title: "More processes".to_owned(),
        columns: columns.map(str::to_owned).into(),
        rows,
        note: "Medians; all share the cores with the servers and the load generator.".to_owned(),
    };
    Ok(Findings { tables: vec![table], ..Findings::default() })
}

fn row((order_managements, workers): (usize, usize), roads: &[Road]) -> Vec<String> {
    let middle = |value: fn(&Road) -> Option<f64>| {
        shown(median(&roads.iter().filter_map(value).collect::<Vec<_>>()))
    };
    vec![
        order_managements.to_string(),
        workers.to_string(),
        middle(|road| Some(road.accepted.per_s)),
        middle(|road| Some(road.settled_per_s)),
        middle(Road::cpu_per_1000),
    ]
}
