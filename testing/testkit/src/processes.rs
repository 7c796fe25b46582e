//! The services as they really run: one process each, with an environment of its own, its output
//! in a file, and signals.

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

/// Shown of its log when something went wrong.
const LOG_LINES: usize = 40;
/// Enough for a start that finds its servers; those that are late need another deadline.
pub const READY_DEADLINE: Duration = Duration::from_secs(120);

/// Which executable to run, and how.
#[derive(Clone, Debug)]
pub struct ProcessSpec {
    /// For messages and for the log's name, such as `worker-1`.
    pub name: String,
    /// The executable.
    pub binary: PathBuf,
    /// Its whole environment.
    pub variables: Vec<(String, String)>,
    /// Where `/health/…` and `/metrics` are served; the same as in the environment.
    pub ops_port: u16,
    /// Where its output goes.
    pub log: PathBuf,
}

/// One service. Dropping it kills it, and during a panic prints the end of its log.
#[derive(Debug)]
pub struct Process {
    spec: ProcessSpec,
    running: Mutex<Option<Arc<Guarded>>>,
}

impl Process {
    /// Starts it and returns at once: it may not be ready, or have ended already.
    pub fn start(spec: ProcessSpec) -> Result<Process> {
        let process = Process { spec, running: Mutex::default() };
        process.start_again()?;
        Ok(process)
    }

    /// Starts it once more with the same environment and ports, adding to the same log. The last
    /// one must have ended.
    pub fn start_again(&self) -> Result<()> {
        self.start_again_with(&[])
    }

    /// The same with these variables on top of its own, for this life only.
    pub fn start_again_with(&self, variables: &[(String, String)]) -> Result<()> {
        ensure!(!self.is_running(), "{} is running", self.spec.name);
        let guarded = Guarded::start(&Program {
            path: self.spec.binary.clone(),
            arguments: Vec::new(),
            variables: [&self.spec.variables, variables].concat(),
            environment: Environment::Bare,
            log: self.spec.log.clone(),
            user: None,
            put_down_with: Signal::SIGKILL,
        });
        let guarded = guarded.with_context(|| format!("start {}", self.spec.name))?;
        *self.slot() = Some(Arc::new(guarded));
        Ok(())
    }

    /// Starts it once more, as [`Process::start_again`] does, with a pipe for standard error that
    /// nobody reads until the child is dropped, which kills it.
    pub fn start_unread(&self) -> Result<tokio::process::Child> {
        ensure!(!self.is_running(), "{} is running", self.spec.name);
        let mut command = tokio::process::Command::new(&self.spec.binary);
        command.env_clear().envs(self.spec.variables.iter().cloned()).stderr(Stdio::piped());
        command.kill_on_drop(true).spawn().with_context(|| format!("start {}", self.spec.name))
    }

    /// Runs its executable once more beside it, with its environment and these arguments, to its end.
    pub async fn run_once(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = tokio::process::Command::new(&self.spec.binary);
        command.args(arguments).env_clear().envs(self.spec.variables.iter().cloned());
        command.kill_on_drop(true).output().await.context("run it once")
    }

    /// Waits until `/health/ready` answers 200. An error at once if the process ends instead.
    pub async fn ready(&self, deadline: Duration) -> Result<()> {
        let what = format!("{} to be ready", self.spec.name);
        let url = self.ops_url("/health/ready");
        let http = reqwest::Client::new();
        let ready = wait_for(&what, deadline, async || {
            if !self.is_running() {
                return Ok(Err(format!("{} has ended", self.spec.name)));
            }
            http.get(&url).send().await?.error_for_status().map(|_| Ok(()))
        });
        match ready.await.with_context(|| self.log_tail())? {
            Ok(()) => Ok(()),
            Err(ended) => bail!("{ended}; {}", self.log_tail()),
        }
    }

    /// Runs the same executable with the same environment once more, with these arguments, to its
    /// end.
    pub async fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = tokio::process::Command::new(&self.spec.binary);
        command.env_clear().envs(self.spec.variables.iter().cloned()).args(arguments);
        command.kill_on_drop(true).output().await.with_context(|| format!("run {arguments:?}"))
    }

    /// Asks it to drain and end.
    pub fn sigterm(&self) -> Result<()> {
        self.signal(Signal::SIGTERM)
    }

    /// Kills it where it stands, and returns when it is gone.
    pub async fn sigkill(&self) -> Result<()> {
        self.signal(Signal::SIGKILL)?;
        self.wait_exit(Duration::from_secs(10)).await.map(drop)
    }

    /// Freezes it.
    pub fn sigstop(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on.
    pub fn sigcont(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// Waits until it has ended; says how: its exit code, or 128 + n after signal n.
    pub async fn wait_exit(&self, deadline: Duration) -> Result<ExitStatus> {
        let guarded = self.guarded()?;
        guarded.wait_exit(deadline).await.with_context(|| self.log_tail())
    }

    /// Whether it has been started and not ended.
    pub fn is_running(&self) -> bool {
        self.slot().as_ref().is_some_and(|guarded| guarded.exit_status().is_none())
    }

    /// The id of the process that was started last.
    pub fn pid(&self) -> Result<Pid> {
        Ok(self.guarded()?.pid())
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// One of its variables.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.spec.variables.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Its port for operators.
    pub fn ops_port(&self) -> u16 {
        self.spec.ops_port
    }

    /// An address on its port for operators, such as `/health/live` or `/metrics`.
    pub fn ops_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.spec.ops_port)
    }

    /// Everything it has said so far, over all its starts.
    pub fn log(&self) -> String {
        log_file::text(&self.spec.log)
    }

    /// Whether it has said this.
    pub fn log_contains(&self, text: &str) -> bool {
        self.log().contains(text)
    }

    /// The end of its log, for messages.
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
