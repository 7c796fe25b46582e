//! The processes' memory, sampled every second: `VmRSS` in `/proc/<pid>/status`. No samples where
//! there is no `/proc`.

use std::time::{Duration, Instant};

use tokio::sync::watch::Receiver;
use tokio::time::timeout;

use super::evidence::Memory;
use testkit::world::World;

const INTERVAL: Duration = Duration::from_secs(1);

/// Samples until the campaign is over.
pub(super) async fn sample(world: &World, began: Instant, mut over: Receiver<bool>) -> Vec<Memory> {
    let mut samples = Vec::new();
    while timeout(INTERVAL, over.wait_for(|over| *over)).await.is_err() {
        let at = began.elapsed().as_secs_f64();
        for process in world.processes().filter(|process| process.is_running()) {
            let Some(mb) = process.pid().ok().and_then(|pid| resident_mb(pid.as_raw())) else {
                continue;
            };
            samples.push(Memory { process: process.name().to_owned(), at, mb });
        }
    }
    samples
}

fn resident_mb(pid: i32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(f64::from(kib) * 1.024 / 1_000.0)
}
