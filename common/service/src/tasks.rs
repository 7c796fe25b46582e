//! Everything spawned is named, cancelled and waited for.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of a process and the three steps in which they end: *leave* (say that the end is near
/// and go on as before), *stop* (take nothing new, finish what is in hand) and *end* (let go of what
/// is left).
///
/// A task that panics stops the whole process: half a process that looks alive would hold
/// messages that somebody else could finish.
#[derive(Clone, Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    runtime: Handle,
    drain: CancellationToken,
    stop: CancellationToken,
    end: CancellationToken,
    failed: Arc<OnceLock<&'static str>>,
}

impl Tasks {
    /// No tasks yet; they will run on `runtime`.
    pub fn on(runtime: Handle) -> Tasks {
        Tasks {
            tracker: TaskTracker::new(),
            runtime,
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
            end: CancellationToken::new(),
            failed: Arc::new(OnceLock::new()),
        }
    }

    /// Runs `work` until it is done or the end has come.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let tasks = self.clone();
        let guarded = async move {
            let outcome = tokio::select! {
                outcome = AssertUnwindSafe(work).catch_unwind() => outcome,
                () = tasks.end.cancelled() => Ok(()),
            };
            if outcome.is_err() {
                log::error!(task = name; "a task panicked; the process stops");
                tasks.failed.get_or_init(|| name);
                tasks.stop();
            }
        };
        self.tracker.spawn_on(guarded, &self.runtime);
    }

    /// Begins the stop.
    pub fn stop(&self) {
        self.drain.cancel();
        self.stop.cancel();
    }

    /// Cancelled once the stop is certain; until it comes, everything goes on.
    pub fn draining(&self) -> CancellationToken {
        self.drain.clone()
    }

    /// Cancelled once nothing new is to be taken.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Leaves at SIGTERM or SIGINT, and stops `notice` later, or at the second signal.
    ///
    /// # Errors
    /// If the handlers cannot be installed.
    pub fn stop_on_signals(&self, notice: Duration) -> std::io::Result<()> {
        let mut signals = Signals::new()?;
        let tasks = self.clone();
        self.spawn("signals", async move {
            let stopping = tasks.stopping();
            let mut name = tokio::select! {
                name = signals.next() => name,
                () = stopping.cancelled() => return,
            };
            tasks.drain.cancel();
            if !notice.is_zero() {
                let for_ms = notice.as_millis();
                log::info!(signal = name, for_ms:%; "leaving: not ready any more, still serving");
                tokio::select! {
                    () = tokio::time::sleep(notice) => {}
                    () = stopping.cancelled() => return,
                    again = signals.next() => name = again,
                }
            }
            log::info!(signal = name; "stopping: intake ends, work in hand goes on");
            tasks.stop();
        });
        Ok(())
    }

    /// Ends what is left and waits for it, at most `patience`.
    ///
    /// # Errors
    /// The name of the task that panicked, if one did.
    pub async fn abort_after(&self, patience: Duration) -> Result<(), &'static str> {
        self.end.cancel();
        self.tracker.close();
        if tokio::time::timeout(patience, self.tracker.wait()).await.is_err() {
            log::warn!(left = self.tracker.len(); "tasks were still running at the end");
        }
        self.failed.get().map_or(Ok(()), |name| Err(*name))
    }
}

/// The signals that ask a process to end.
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
    async fn the_end_lets_go_of_a_task_that_would_run_for_ever() {
        let tasks = Tasks::on(Handle::current());
        tasks.spawn("endless", std::future::pending());
        assert_eq!(tasks.abort_after(Duration::from_secs(5)).await, Ok(()));
    }
}
