//! The processes on this machine, from `/proc` where it exists, otherwise from `ps`.

use std::path::Path;
use std::process::Command;

use nix::unistd::Pid;

/// One running process. Zombies are left out.
#[derive(Debug)]
pub struct Running {
    /// The process's id.
    pub pid: Pid,
    /// The id of the process that started it.
    pub parent: Pid,
    /// Program and arguments, separated by spaces.
    pub command: String,
}

/// All processes; a process that ends during the call is left out.
pub fn all() -> Vec<Running> {
    match std::fs::read_dir("/proc/self").and_then(|_| std::fs::read_dir("/proc")) {
        Ok(entries) => entries.flatten().filter_map(|entry| from_proc(&entry.path())).collect(),
        Err(_) => from_ps(),
    }
}

/// True if a process has this id.
pub fn is_running(pid: Pid) -> bool {
    all().iter().any(|process| process.pid == pid)
}

/// The direct children of one process.
pub fn children_of(parent: Pid) -> Vec<Pid> {
    all().iter().filter(|process| process.parent == parent).map(|process| process.pid).collect()
}

/// `/proc/<pid>/stat` is `pid (name) state ppid …`, and the name may contain any characters.
fn from_proc(dir: &Path) -> Option<Running> {
    let pid: i32 = dir.file_name()?.to_str()?.parse().ok()?;
    let stat = std::fs::read_to_string(dir.join("stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?;
    let parent: i32 = fields.next()?.parse().ok()?;
    let arguments = std::fs::read(dir.join("cmdline")).ok()?;
    let command = String::from_utf8_lossy(&arguments).replace('\0', " ");
    let alive = !state.starts_with(['Z', 'X']);
    alive.then(|| Running { pid: Pid::from_raw(pid), parent: Pid::from_raw(parent), command })
}

fn from_ps() -> Vec<Running> {
    let listed = Command::new("ps").args(["-A", "-o", "pid=,ppid=,stat=,args="]).output();
    let text = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default().lines().filter_map(from_ps_line).collect()
}

fn from_ps_line(line: &str) -> Option<Running> {
    let mut fields = line.split_whitespace();
    let pid: i32 = fields.next()?.parse().ok()?;
    let parent: i32 = fields.next()?.parse().ok()?;
    let alive = !fields.next()?.starts_with('Z');
    let command = fields.collect::<Vec<_>>().join(" ");
    alive.then(|| Running { pid: Pid::from_raw(pid), parent: Pid::from_raw(parent), command })
}
