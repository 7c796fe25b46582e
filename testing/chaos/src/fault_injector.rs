//! Injects faults and heals them.

mod inflict;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::time::sleep;

use super::evidence::{Exit, InjectedFault, ReadinessCheck};
use super::fault::{Fault, ORDER_MANAGEMENTS, WORKERS};
use super::progress::say;
use super::schedule::Step;
use testkit::processes::Process;
use testkit::world::World;

/// Bound for a process to end after SIGTERM. It has 10 s to drain and a second more.
const EXIT_DEADLINE: Duration = Duration::from_secs(20);
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// The world under test, and the observations so far.
#[derive(Debug)]
pub(super) struct FaultInjector<'a> {
    world: &'a World,
    began: Instant,
    observed: Mutex<Observations>,
}

/// The observations of the injector.
#[derive(Debug, Default)]
pub(super) struct Observations {
    /// Faults that were injected.
    pub(super) faults: Vec<InjectedFault>,
    /// Processes that received SIGTERM.
    pub(super) exits: Vec<Exit>,
    /// Requests to `/health/ready`.
    pub(super) readiness_checks: Vec<ReadinessCheck>,
}

impl FaultInjector<'_> {
    pub(super) fn new(world: &World, began: Instant) -> FaultInjector<'_> {
        FaultInjector { world, began, observed: Mutex::default() }
    }

    /// Ends the injection and returns the observations.
    pub(super) fn into_observations(self) -> Observations {
        self.observed.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one step of the schedule.
    ///
    /// # Errors
    /// If a component can't be broken or healed.
    pub(super) async fn run_step(&self, step: &Step) -> Result<()> {
        if step.after_recovery {
            self.all_ready().await?;
        }
        sleep(step.pause).await;
        let alone = step.after_recovery && step.beside.is_none();
        let beside = async {
            let Some((later, fault)) = &step.beside else { return Ok(()) };
            sleep(*later).await;
            self.inject(fault, false).await
        };
        tokio::try_join!(self.inject(&step.fault, alone), beside)?;
        Ok(())
    }

    /// Waits until every process is ready, and records each process that exceeds the deadline.
    ///
    /// # Errors
    /// If a process has ended.
    pub(super) async fn all_ready(&self) -> Result<()> {
        for process in self.world.processes() {
            let ready = process.ready(READY_DEADLINE).await;
            if ready.is_err() {
                ensure_running(process)?;
            }
            self.note_readiness(process, Some(ready.is_ok()), true);
        }
        Ok(())
    }

    /// Stops every process with SIGTERM, the workers first.
    ///
    /// # Errors
    /// If a signal can't be sent.
    pub(super) async fn stop_all(&self) -> Result<()> {
        for process in (0..WORKERS).map(|i| self.world.worker(i)) {
            self.stop(process).await?;
        }
        for process in (0..ORDER_MANAGEMENTS).map(|i| self.world.order_management(i)) {
            self.stop(process).await?;
        }
        Ok(())
    }

    async fn inject(&self, fault: &Fault, alone: bool) -> Result<()> {
        let began = self.now();
        say(&format!("{began:7.1} s  {fault}"));
        let back = self.inflict(fault).await.with_context(|| fault.to_string())?;
        let injected = InjectedFault { fault: fault.clone(), began, back, alone };
        self.observed().faults.push(injected);
        Ok(())
    }

    async fn stop(&self, process: &Process) -> Result<()> {
        let at = self.now();
        process.sigterm()?;
        let code = process.wait_exit(EXIT_DEADLINE).await.ok().and_then(|status| status.code());
        let (process, took) = (process.name().to_owned(), self.now() - at);
        self.observed().exits.push(Exit { process, at, took, code });
        Ok(())
    }

    fn note_readiness(&self, process: &Process, ready: Option<bool>, wanted: bool) {
        let process = process.name().to_owned();
        let check = ReadinessCheck { process, at: self.now(), ready, wanted };
        self.observed().readiness_checks.push(check);
    }

    fn observed(&self) -> MutexGuard<'_, Observations> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}

fn ensure_running(process: &Process) -> Result<()> {
    anyhow::ensure!(process.is_running(), "{} has ended: {}", process.name(), process.log_tail());
    Ok(())
}
