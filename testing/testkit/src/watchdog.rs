//! A watchdog for every started process, so that none outlives the process that started it.
//! Destructors are not enough: statics are not dropped, and SIGKILL runs no destructor.
//!
//! Each server is the child of a small shell which has the reading end of a pipe from this process.
//! The pipe ends with this process, for any reason, and the shell kills its child.

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

/// The shell's script. Its arguments are the signal to stop with, the log (which only [`guards`]
/// reads) and the command. The script prints the server's pid, and ends when the server ends, with
/// its exit code (128 + n after signal n). A server that ignores the signal gets SIGKILL 10 s
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

/// The environment of a program in addition to its own variables.
#[derive(Clone, Copy, Debug)]
pub enum Environment {
    /// The environment of this process: for servers, which need a path and a locale.
    Inherited,
    /// Only a path: for the services, which must not see the settings of the user who runs the
    /// tests.
    Bare,
}

/// A program to start, and the signal that stops it.
#[derive(Debug)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// The arguments.
    pub arguments: Vec<OsString>,
    /// The program's own variables.
    pub variables: Vec<(String, String)>,
    /// The rest of the environment.
    pub environment: Environment,
    /// The log, to which output and errors are appended.
    pub log: PathBuf,
    /// The user to run as, if not the user of this process.
    pub user: Option<ServerUser>,
    /// The signal for an orphaned or dropped program; SIGKILL follows 10 s later.
    pub stop_signal: Signal,
}

/// A running program that ends with this process. Dropping it stops the program and waits for its
/// end.
#[derive(Debug)]
pub struct Guarded {
    pid: Pid,
    shell: Mutex<Child>,
}

impl Guarded {
    /// Starts a program in a process group of its own, which a Ctrl-C for this process does not
    /// reach.
    pub fn start(program: &Program) -> Result<Guarded> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, NAME, program.stop_signal.as_str().trim_start_matches("SIG")]);
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

    /// The id of the program, not of its watchdog.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends a signal, unless the program has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        if self.exit_status().is_some() {
            return Ok(());
        }
        match kill(self.pid, signal) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("send {signal} to {}", self.pid)),
        }
    }

    /// The exit code, or 128 + n after signal n; `None` while the program runs.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        let status = self.shell().try_wait().ok().flatten()?;
        if status.signal().is_some() {
            // The watchdog was killed: the program must not continue without one.
            kill(self.pid, Signal::SIGKILL).ok();
        }
        Some(status)
    }

    /// Waits until the program has ended.
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

/// True if a watchdog of any run guards a program that logs into `dir` or below. After a run was
/// killed the result stays true for a moment.
pub fn guards(dir: &Path) -> bool {
    let dir = dir.to_string_lossy();
    let ours = |command: &str| command.contains(NAME) && command.contains(dir.as_ref());
    process_table::all().iter().any(|process| ours(&process.command))
}
