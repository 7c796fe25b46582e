//! The tasks of a process: each is named, cancelled and awaited.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of a process and the three steps in which they end: *drain* (readiness fails,
/// everything else goes on), *stop* (intake ends, work in flight finishes) and *abort* (the
/// remaining tasks are dropped).
///
/// A task that panics stops the whole process: a process that is only partly alive would keep
/// messages that another process could finish.
#[derive(Clone, Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    runtime: Handle,
    drain: CancellationToken,
    stop: CancellationToken,
    abort: CancellationToken,
    failed: Arc<OnceLock<&'static str>>,
}

impl Tasks {
    /// An empty set, whose tasks run on `runtime`.
    pub fn on(runtime: Handle) -> Tasks {
        Tasks {
            tracker: TaskTracker::new(),
            runtime,
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
            failed: Arc::new(OnceLock::new()),
        }
    }

    /// Runs `work` until it ends or is aborted.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let tasks = self.clone();
        let guarded = async move {
            let outcome = tokio::select! {
                outcome = AssertUnwindSafe(work).catch_unwind() => outcome,
                () = tasks.abort.cancelled() => Ok(()),
            };
            if outcome.is_err() {
                log::error!(task = name; "a task panicked; the process stops");
                tasks.failed.get_or_init(|| name);
                tasks.stop();
            }
        };
        self.tracker.spawn_on(guarded, &self.runtime);
    }

    /// Starts the stop, and the drain if that has not begun.
    pub fn stop(&self) {
        self.drain.cancel();
        self.stop.cancel();
    }

    /// A token that is cancelled when the drain begins; everything goes on until the stop.
    pub fn draining(&self) -> CancellationToken {
        self.drain.clone()
    }

    /// A token that is cancelled when the stop begins: intake ends.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts the drain at SIGTERM or SIGINT, and the stop after `delay` or at the second signal.
    ///
    /// # Errors
    /// If the handlers cannot be installed.
    pub fn stop_on_signals(&self, delay: Duration) -> std::io::Result<()> {
        let mut signals = Signals::new()?;
        let tasks = self.clone();
        self.spawn("signals", async move {
            let stopping = tasks.stopping();
            let mut name = tokio::select! {
                name = signals.next() => name,
                () = stopping.cancelled() => return,
            };
            tasks.drain.cancel();
            if !delay.is_zero() {
                let for_ms = delay.as_millis();
                log::info!(signal = name, for_ms:%; "draining: not ready any more, still serving");
                tokio::select! {
                    () = tokio::time::sleep(delay) => {}
                    () = stopping.cancelled() => return,
                    again = signals.next() => name = again,
                }
            }
            log::info!(signal = name; "stopping: intake ends, work in flight goes on");
            tasks.stop();
        });
        Ok(())
    }

    /// Aborts the remaining tasks, each at its next await, and waits for them for `timeout` at
    /// most.
    ///
    /// # Errors
    /// The name of the task that panicked, if one did.
    pub async fn abort_after(&self, timeout: Duration) -> Result<(), &'static str> {
        self.abort.cancel();
        self.tracker.close();
        if tokio::time::timeout(timeout, self.tracker.wait()).await.is_err() {
            log::warn!(left = self.tracker.len(); "tasks were still running when the process ended");
        }
        self.failed.get().map_or(Ok(()), |name| Err(*name))
    }
}

/// The signals that end a process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_stops_the_process_and_is_named() {
        let tasks = Tasks::on(Handle::current());
        tasks.spawn("doomed", async { panic!("on purpose") });
        tasks.stopping().cancelled().await;
        assert_eq!(tasks.abort_after(Duration::from_secs(5)).await, Err("doomed"));
    }

    #[tokio::test]
    async fn a_task_that_would_run_for_ever_is_aborted() {
        let tasks = Tasks::on(Handle::current());
        tasks.spawn("endless", std::future::pending());
        assert_eq!(tasks.abort_after(Duration::from_secs(5)).await, Ok(()));
    }
}
