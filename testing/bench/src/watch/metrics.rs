//! The processes' own metrics, at `/metrics`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use testkit::processes::Process;
use testkit::world::World;

/// Counter of orders that order-management has moved to their final status.
const MOVED: &str = "ordermill_results_total{outcome=\"moved\"}";
const BATCH_ITEMS: &str = "ordermill_stage_batch_size_sum{stage=\"";
const BATCHES: &str = "ordermill_stage_batch_size_count{stage=\"";

/// Counter of orders that a sweep found in the outbox, because no process published them at once.
const SWEPT: &str = "ordermill_outbox_swept_total ";

/// The number of orders that became final since order-management started.
///
/// # Errors
/// If a process does not answer.
pub(crate) async fn settled(world: &World) -> Result<f64> {
    counted(world, MOVED).await
}

/// The number of orders that the sweeps found since order-management started.
///
/// # Errors
/// If a process does not answer.
pub(crate) async fn swept(world: &World) -> Result<f64> {
    counted(world, SWEPT).await
}

async fn counted(world: &World, name: &str) -> Result<f64> {
    let mut sum = 0.0;
    for process in world.processes().filter(|p| p.name().starts_with("order-management")) {
        let text = scrape(world, process).await?;
        sum += text.lines().filter_map(|line| value(line, name)).sum::<f64>();
    }
    Ok(sum)
}

/// Items and batches by stage, over all processes since their start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batches(BTreeMap<String, (f64, f64)>);

impl Batches {
    /// Reads the counters.
    ///
    /// # Errors
    /// If a process does not answer.
    pub(crate) async fn now(world: &World) -> Result<Batches> {
        let mut found = Batches::default();
        for process in world.processes() {
            for line in scrape(world, process).await?.lines() {
                found.read(line);
            }
        }
        Ok(found)
    }

    /// Mean items per batch since an earlier reading, by stage.
    pub(crate) fn means_since(&self, earlier: &Batches) -> BTreeMap<String, f64> {
        let mean = |(stage, (items, batches)): (&String, &(f64, f64))| {
            let (old_items, old_batches) = earlier.0.get(stage).copied().unwrap_or_default();
            let batches = batches - old_batches;
            (batches > 0.0).then(|| (stage.clone(), (items - old_items) / batches))
        };
        self.0.iter().filter_map(mean).collect()
    }

    fn read(&mut self, line: &str) {
        let stage = |prefix: &str| {
            let (stage, value) = line.strip_prefix(prefix)?.split_once("\"}")?;
            Some((stage.to_owned(), value.trim().parse::<f64>().ok()?))
        };
        if let Some((stage, items)) = stage(BATCH_ITEMS) {
            self.0.entry(stage).or_default().0 += items;
        } else if let Some((stage, batches)) = stage(BATCHES) {
            self.0.entry(stage).or_default().1 += batches;
        }
    }
}

fn value(line: &str, name: &str) -> Option<f64> {
    line.strip_prefix(name)?.trim().parse().ok()
}

async fn scrape(world: &World, process: &Process) -> Result<String> {
    let asked = world.http().get(process.ops_url("/metrics")).send().await;
    let answered = asked.and_then(reqwest::Response::error_for_status);
    let read = async { answered?.text().await };
    read.await.with_context(|| format!("read the metrics of {}", process.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_batch_is_that_between_two_readings() {
        let mut before = Batches::default();
        before.read("ordermill_stage_batch_size_sum{stage=\"place\"} 10.0");
        before.read("ordermill_stage_batch_size_count{stage=\"place\"} 10");
        let mut after = Batches::default();
        after.read("ordermill_stage_batch_size_sum{stage=\"place\"} 110.0");
        after.read("ordermill_stage_batch_size_count{stage=\"place\"} 12");
        after.read("ordermill_stage_duration_seconds_sum{stage=\"place\"} 1.0");
        let expected = BTreeMap::from([("place".to_owned(), 50.0)]);
        assert_eq!(after.means_since(&before), expected);
    }
}
