//! Nothing that was started here outlives the process that started it, even if that process is
//! killed and never gets to clean up: statics are not dropped, and SIGKILL asks nobody.
//!
//! Each server is the child of a small shell which holds the reading end of a pipe from us. When
//! we are gone, whatever the reason, the pipe ends, and the shell kills the one process it started.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::eventually::wait_for;
use crate::server_user::ServerUser;
use crate::{log_file, process_table};

/// `$0` of the shells, by which a later run recognises them.
const NAME: &str = "ordermill-watchdog";

/// Takes the signal to kill with, the log (only to be seen by [`guards`]) and the command. Prints the server's pid, ends as the server ends
/// and with its exit code (128 + n after signal n). Whoever ignores the signal gets SIGKILL 10 s
/// later.
const SCRIPT: &str = r#"
exec 3<&0 </dev/null
ulimit -c 0
signal=$1
shift 2
"$@" >&2 3<&- &
server=$!
echo "$server"
exec >/dev/null
(
    read -r _ <&3
    kill -s "$signal" "$server"
    left=10
    while [ "$left" -gt 0 ] && kill -0 "$server"; do
        sleep 1
        left=$((left - 1))
    done
    kill -s KILL "$server"
) 2>/dev/null &
guard=$!
exec 3<&-
wait "$server"
code=$?
kill "$guard" 2>/dev/null
exit "$code"
"#;

/// What the program finds in its environment besides its own variables.
#[derive(Clone, Copy, Debug)]
pub enum Environment {
    /// Ours: for servers, which need a path and a locale.
    Inherited,
    /// Nothing: for our services, which must not see the settings of whoever runs the tests.
    Bare,
}

/// What to start, and how it is put down when we are gone.
#[derive(Debug)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables of its own.
    pub variables: Vec<(String, String)>,
    /// What else is in its environment.
    pub environment: Environment,
    /// Where its output and errors are appended.
    pub log: PathBuf,
    /// Whom to run as, if not as ourselves.
    pub user: Option<ServerUser>,
    /// Sent when it is orphaned or dropped; 10 s later comes SIGKILL.
    pub put_down_with: Signal,
}

/// A running program that ends with us. Dropping it puts it down and waits for that.
#[derive(Debug)]
pub struct Guarded {
    pid: Pid,
    shell: Mutex<Child>,
}

impl Guarded {
    /// Starts it in a process group of its own, so that a Ctrl-C meant for us does not reach it.
    pub fn start(program: &Program) -> Result<Guarded> {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            SCRIPT,
            NAME,
            program.put_down_with.as_str().trim_start_matches("SIG"),
        ]);
        command.arg(&program.log).arg(&program.path).args(&program.arguments);
        if let Environment::Bare = program.environment {
            command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        }
        command.envs(program.variables.iter().map(|(name, value)| (name, value)));
        if let Some(user) = program.user {
            command.uid(user.uid).gid(user.gid);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log_file::open(&program.log)?);
        command.process_group(0);
        let mut shell = command.spawn().context("start a shell as watchdog")?;
        let pid = first_line(&mut shell)?.trim().parse().context("the watchdog names no pid")?;
        Ok(Guarded { pid: Pid::from_raw(pid), shell: Mutex::new(shell) })
    }

    /// The id of the program itself, not of its watchdog.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends a signal; does nothing if the program has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        if self.exit_status().is_some() {
            return Ok(());
        }
        match kill(self.pid, signal) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("send {signal} to {}", self.pid)),
        }
    }

    /// How it ended, if it has: its exit code, or 128 + n after signal n.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        let status = self.shell().try_wait().ok().flatten()?;
        if status.signal().is_some() {
            // Somebody killed the watchdog: what it watched must not go on unwatched.
            kill(self.pid, Signal::SIGKILL).ok();
        }
        Some(status)
    }

    /// Waits until it has ended.
    pub async fn wait_exit(&self, deadline: Duration) -> Result<ExitStatus> {
        let what = format!("process {} to end", self.pid);
        Ok(wait_for(&what, deadline, async || self.exit_status()).await?)
    }

    fn shell(&self) -> MutexGuard<'_, Child> {
        self.shell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let mut shell = self.shell();
        drop(shell.stdin.take());
        if let Err(error) = shell.wait() {
            eprintln!("the watchdog of process {} can't be waited for: {error}", self.pid);
        }
    }
}

fn first_line(shell: &mut Child) -> Result<String> {
    let output = shell.stdout.take().context("the watchdog has no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).context("read the pid from the watchdog")?;
    Ok(line)
}

/// Whether a watchdog, of whatever run, still has a program to put down that logs into `dir` or
/// below. After a run was killed this takes a moment to become false.
pub fn guards(dir: &Path) -> bool {
    let dir = dir.to_string_lossy();
    let ours = |command: &str| command.contains(NAME) && command.contains(dir.as_ref());
    process_table::all().iter().any(|process| ours(&process.command))
}
