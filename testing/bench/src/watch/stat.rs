//! CPU time of processes, out of `/proc/<pid>/stat` (`man 5 proc_pid_stat`).

use std::time::Duration;

use nix::unistd::Pid;

use testkit::process_table;

/// What `/proc` counts CPU time in: 1/100 s on every Linux that is in use.
const TICK: Duration = Duration::from_millis(10);
/// Places behind the program's name, which ends with `)`.
const OWN: [usize; 2] = [11, 12];
const OF_ENDED_CHILDREN: [usize; 2] = [13, 14];

/// CPU that a process has used itself; nothing if it is gone or there is no `/proc`.
pub(crate) fn own(pid: Pid) -> Option<Duration> {
    ticks(&pid.to_string(), &OWN)
}

/// CPU of this very process and of those it has run to their end.
pub(crate) fn ours() -> Option<Duration> {
    Some(ticks("self", &OWN)? + ticks("self", &OF_ENDED_CHILDREN)?)
}

/// CPU of a process and of everything below it, also of what has ended there: a parent keeps the
/// account of the children it has waited for.
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
    fn work_of_a_child_that_has_ended_is_ours() {
        let before = ours().unwrap();
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        std::process::Command::new("sh").args(["-c", busy]).status().unwrap();
        assert!(ours().unwrap() > before);
        assert!(family(nix::unistd::getpid()).unwrap() >= before);
    }
}
