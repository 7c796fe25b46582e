//! The services as real processes, each with its own environment and log file, and with signals.

use std::path::PathBuf;
use std::process::{ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::eventually::wait_for;
use crate::log_file;
use crate::watchdog::{Environment, Guarded, Program};

/// Lines of the log in an error message.
const LOG_LINES: usize = 40;
/// Bound of a start that finds its servers running, on a busy machine.
pub const READY_DEADLINE: Duration = Duration::from_secs(120);

/// The parameters of a process.
#[derive(Clone, Debug)]
pub struct ProcessSpec {
    /// Name in messages and of the log, such as `worker-1`.
    pub name: String,
    /// The executable.
    pub binary: PathBuf,
    /// The whole environment.
    pub variables: Vec<(String, String)>,
    /// Port of `/health/…` and `/metrics`, the same as in the environment.
    pub ops_port: u16,
    /// Path of the log.
    pub log: PathBuf,
}

/// One service. Dropping it kills the process and, during a panic, prints the end of its log.
#[derive(Debug)]
pub struct Process {
    spec: ProcessSpec,
    running: Mutex<Option<Arc<Guarded>>>,
}

impl Process {
    /// Starts a process and returns at once: it may not be ready yet, or may have ended already.
    pub fn start(spec: ProcessSpec) -> Result<Process> {
        let process = Process { spec, running: Mutex::default() };
        process.start_again()?;
        Ok(process)
    }

    /// Starts the process again with the same environment, ports and log. The last process must
    /// have ended.
    pub fn start_again(&self) -> Result<()> {
        self.start_again_with(&[])
    }

    /// [`Process::start_again`] with additional variables, for this start only.
    pub fn start_again_with(&self, variables: &[(String, String)]) -> Result<()> {
        ensure!(!self.is_running(), "{} is running", self.spec.name);
        let guarded = Guarded::start(&Program {
            path: self.spec.binary.clone(),
            arguments: Vec::new(),
            variables: [&self.spec.variables, variables].concat(),
            environment: Environment::Bare,
            log: self.spec.log.clone(),
            user: None,
            stop_signal: Signal::SIGKILL,
        });
        let guarded = guarded.with_context(|| format!("start {}", self.spec.name))?;
        *self.slot() = Some(Arc::new(guarded));
        Ok(())
    }

    /// [`Process::start_again`] with a pipe for standard error that is never read. Dropping the
    /// child kills it.
    pub fn start_unread(&self) -> Result<tokio::process::Child> {
        ensure!(!self.is_running(), "{} is running", self.spec.name);
        let mut command = tokio::process::Command::new(&self.spec.binary);
        command.env_clear().envs(self.spec.variables.iter().cloned()).stderr(Stdio::piped());
        command.kill_on_drop(true).spawn().with_context(|| format!("start {}", self.spec.name))
    }

    /// Runs the same executable with the same environment and these arguments, beside the process,
    /// to its end.
    pub async fn run_once(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = tokio::process::Command::new(&self.spec.binary);
        command.args(arguments).env_clear().envs(self.spec.variables.iter().cloned());
        command.kill_on_drop(true).output().await.context("run it once")
    }

    /// Waits until `/health/ready` answers 200 and no component is degraded; fails at once if the
    /// process ends.
    pub async fn ready(&self, deadline: Duration) -> Result<()> {
        let what = format!("{} to be ready", self.spec.name);
        let url = self.ops_url("/health/ready");
        let http = crate::http_client::local();
        let ready = wait_for(&what, deadline, async || {
            if !self.is_running() {
                return Ok(Err(format!("{} has ended", self.spec.name)));
            }
            let answer = http.get(&url).send().await?.error_for_status()?.text().await?;
            anyhow::ensure!(!answer.contains("DEGRADED"), answer);
            anyhow::Ok(Ok(()))
        });
        match ready.await.with_context(|| self.log_tail())? {
            Ok(()) => Ok(()),
            Err(ended) => bail!("{ended}; {}", self.log_tail()),
        }
    }

    /// [`Process::run_once`], with the arguments in the error.
    pub async fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = tokio::process::Command::new(&self.spec.binary);
        command.env_clear().envs(self.spec.variables.iter().cloned()).args(arguments);
        command.kill_on_drop(true).output().await.with_context(|| format!("run {arguments:?}"))
    }

    /// Sends SIGTERM, the request to drain and end.
    pub fn sigterm(&self) -> Result<()> {
        self.signal(Signal::SIGTERM)
    }

    /// Kills the process, and returns when it is gone.
    pub async fn sigkill(&self) -> Result<()> {
        self.signal(Signal::SIGKILL)?;
        self.wait_exit(Duration::from_secs(10)).await.map(drop)
    }

    /// Freezes the process.
    pub fn sigstop(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Continues the frozen process.
    pub fn sigcont(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// Waits until the process has ended, and returns its exit code, or 128 + n after signal n.
    pub async fn wait_exit(&self, deadline: Duration) -> Result<ExitStatus> {
        let guarded = self.guarded()?;
        guarded.wait_exit(deadline).await.with_context(|| self.log_tail())
    }

    /// True if the process has been started and has not ended.
    pub fn is_running(&self) -> bool {
        self.slot().as_ref().is_some_and(|guarded| guarded.exit_status().is_none())
    }

    /// The id of the process that was started last.
    pub fn pid(&self) -> Result<Pid> {
        Ok(self.guarded()?.pid())
    }

    /// Largest resident memory so far of the process that was started last, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
        let kib: u64 = kib.context("find VmHWM")?.parse()?;
        Ok(kib * 1024)
    }

    /// The name in messages.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The value of a variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.spec.variables.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The ops port.
    pub fn ops_port(&self) -> u16 {
        self.spec.ops_port
    }

    /// The address of a path on the ops port, such as `/health/live` or `/metrics`.
    pub fn ops_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.spec.ops_port)
    }

    /// The log so far, over all starts.
    pub fn log(&self) -> String {
        log_file::text(&self.spec.log)
    }

    /// True if the log contains this text.
    pub fn log_contains(&self, text: &str) -> bool {
        self.log().contains(text)
    }

    /// The end of the log, for messages.
    pub fn log_tail(&self) -> String {
        log_file::tail(&self.spec.log, LOG_LINES)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        self.guarded()?.signal(signal)
    }

    fn guarded(&self) -> Result<Arc<Guarded>> {
        let guarded = self.slot().clone();
        guarded.with_context(|| format!("{} was never started", self.spec.name))
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Guarded>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {}", self.spec.name, self.log_tail());
        }
    }
}
