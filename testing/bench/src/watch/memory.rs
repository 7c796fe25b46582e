//! Peak memory of a process.

use testkit::world::World;

/// Peak of the largest process of one kind since its start, in megabytes of 10⁶ bytes: `VmHWM` in
/// `/proc/<pid>/status`. `None` where there is no `/proc`.
pub(crate) fn peak_mb(world: &World, kind: &str) -> Option<f64> {
    let members = world.processes().filter(|process| process.name().starts_with(kind));
    members.filter_map(|process| of(process.pid().ok()?.as_raw())).reduce(f64::max)
}

fn of(pid: i32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(f64::from(kib) * 1.024 / 1_000.0)
}
