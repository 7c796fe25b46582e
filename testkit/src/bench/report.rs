//! The figures, as a table.

use crate::world::World;

/// One round's figures.
pub(super) struct Round {
    pub(super) inserts_per_s: f64,
    pub(super) accepted_per_s: f64,
    pub(super) settled_per_s: f64,
    pub(super) p50: String,
    pub(super) p99: String,
}

/// The table: medians with the spread, ratios to the yardstick pair by pair, and what was measured.
pub(super) async fn of(world: &World, rounds: &[Round]) -> String {
    let row = |label: &str, value: &dyn Fn(&Round) -> f64, digits: usize| {
        let mut values: Vec<f64> = rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        let at = |i: usize| values.get(i).copied().unwrap_or_default();
        let (low, mid, high) = (at(0), at(values.len() / 2), at(values.len().saturating_sub(1)));
        format!("{label:<58} {mid:>9.digits$}   {low:.digits$} – {high:.digits$}\n")
    };
    let mut text = format!("\n{:<58} {:>9}   spread\n", "", "median");
    text +=
        &row("S: pgbench, one order + outbox row a commit, 64 clients /s", &|r| r.inserts_per_s, 0);
    text += &row("orders accepted (201) /s, wrk -t1 -c64", &|r| r.accepted_per_s, 0);
    text +=
        &row("orders settled /s, from the first POST to the last final", &|r| r.settled_per_s, 0);
    text += &row("accepted ÷ S", &|r| r.accepted_per_s / r.inserts_per_s, 2);
    text += &row("settled ÷ S", &|r| r.settled_per_s / r.inserts_per_s, 2);
    for (number, Round { p50, p99, .. }) in rounds.iter().enumerate() {
        text += &format!("POST answered in round {}: p50 {p50}, p99 {p99}\n", number + 1);
    }
    for process in world.processes() {
        let peak = process.pid().ok().and_then(|pid| peak_memory(pid.as_raw()));
        text += &format!("{}: peak memory {}\n", process.name(), peak.unwrap_or("?".into()));
    }
    let version = world.sql("select version()").await;
    let version: String = version.first().map(|row| row.get(0)).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    text += &format!("{cores} cores shared by all; {version}; fsync and synchronous_commit on; ");
    text += "quorum queues, persistent messages, confirms; 1 order a message; gateway latency 0\n";
    text
}

/// `VmHWM` of Linux's `/proc`.
fn peak_memory(pid: i32) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.trim_start_matches("VmHWM:").trim().to_owned())
}
