//! CPU time of processes, from `/proc/<pid>/stat` (`man 5 proc_pid_stat`).

use std::time::Duration;

use nix::unistd::Pid;

use testkit::process_table;

/// The unit of CPU time in `/proc`: 1/100 s on every Linux in use.
const TICK: Duration = Duration::from_millis(10);
/// Indexes of the fields after the program's name, which ends with `)`.
const OWN: [usize; 2] = [11, 12];
const OF_ENDED_CHILDREN: [usize; 2] = [13, 14];

/// CPU time of a process itself; `None` if the process is gone or there is no `/proc`.
pub(crate) fn own(pid: Pid) -> Option<Duration> {
    ticks(&pid.to_string(), &OWN)
}

/// CPU time of this process and of its children that have ended.
pub(crate) fn ours() -> Option<Duration> {
    Some(ticks("self", &OWN)? + ticks("self", &OF_ENDED_CHILDREN)?)
}

/// CPU time of a process and of all its descendants, including those that have ended: a parent's
/// counters include the children it has waited for.
pub(crate) fn family(root: Pid) -> Option<Duration> {
    let all = process_table::all();
    let mut members = vec![root];
    let mut next = 0;
    while let Some(parent) = members.get(next).copied() {
        members.extend(all.iter().filter(|process| process.parent == parent).map(|p| p.pid));
        next += 1;
    }
    let each = |pid: &Pid| Some(own(*pid)? + ticks(&pid.to_string(), &OF_ENDED_CHILDREN)?);
    each(&root)?;
    Some(members.iter().filter_map(each).sum())
}

fn ticks(process: &str, places: &[usize]) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let at = |place: &usize| fields.get(*place)?.parse::<u32>().ok();
    let ticks: Option<Vec<u32>> = places.iter().map(at).collect();
    Some(ticks?.into_iter().map(|count| TICK * count).sum())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_child_that_has_ended_counts() {
        let before = ours().unwrap();
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        std::process::Command::new("sh").args(["-c", busy]).status().unwrap();
        assert!(ours().unwrap() > before);
        assert!(family(nix::unistd::getpid()).unwrap() >= before);
    }
}
