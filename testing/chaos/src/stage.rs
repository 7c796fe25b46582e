//! Breaks things, and makes them whole again.

mod breaking;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::time::sleep;

use super::evidence::{Exit, Look, Mark};
use super::fault::{Fault, ORDER_MANAGEMENTS, WORKERS};
use super::schedule::Step;
use testkit::processes::Process;
use testkit::world::World;

/// A process that was asked to end has 10 s to drain and a second more.
const EXIT_DEADLINE: Duration = Duration::from_secs(20);
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// Where it happens, and what was seen meanwhile.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    world: &'a World,
    began: Instant,
    marks: Mutex<Vec<Mark>>,
    exits: Mutex<Vec<Exit>>,
    looks: Mutex<Vec<Look>>,
}

impl Stage<'_> {
    pub(super) fn of(world: &World, began: Instant) -> Stage<'_> {
        let (marks, exits, looks) = Default::default();
        Stage { world, began, marks, exits, looks }
    }

    /// What happened so far: faults, exits, looks.
    pub(super) fn seen(self) -> (Vec<Mark>, Vec<Exit>, Vec<Look>) {
        fn inner<T>(of: Mutex<T>) -> T {
            of.into_inner().unwrap_or_else(PoisonError::into_inner)
        }
        (inner(self.marks), inner(self.exits), inner(self.looks))
    }

    /// Does one step.
    ///
    /// # Errors
    /// If something can't be broken or made whole again.
    pub(super) async fn play(&self, step: &Step) -> Result<()> {
        if step.after_recovery {
            self.all_ready().await?;
        }
        sleep(step.pause).await;
        let alone = step.after_recovery && step.beside.is_none();
        let beside = async {
            let Some((later, fault)) = &step.beside else { return Ok(()) };
            sleep(*later).await;
            self.happens(fault, false).await
        };
        tokio::try_join!(self.happens(&step.fault, alone), beside)?;
        Ok(())
    }

    /// Waits until every process is ready, and notes whether that took too long.
    ///
    /// # Errors
    /// If one has ended by itself.
    pub(super) async fn all_ready(&self) -> Result<()> {
        for process in self.world.processes() {
            let ready = process.ready(READY_DEADLINE).await;
            if ready.is_err() {
                ensure_running(process)?;
            }
            self.note_look(process, Some(ready.is_ok()), true);
        }
        Ok(())
    }

    /// Stops every process in good order, the workers first.
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

    async fn happens(&self, fault: &Fault, alone: bool) -> Result<()> {
        let began = self.now();
        super::say(&format!("{began:7.1} s  {fault}"));
        let back = self.inflict(fault).await.with_context(|| fault.to_string())?;
        let mark = Mark { fault: fault.clone(), began, back, alone };
        lock(&self.marks).push(mark);
        Ok(())
    }

    async fn stop(&self, process: &Process) -> Result<()> {
        let at = self.now();
        process.sigterm()?;
        let code = process.wait_exit(EXIT_DEADLINE).await.ok().and_then(|status| status.code());
        let (process, took) = (process.name().to_owned(), self.now() - at);
        lock(&self.exits).push(Exit { process, at, took, code });
        Ok(())
    }

    fn note_look(&self, process: &Process, ready: Option<bool>, wanted: bool) {
        let look = Look { process: process.name().to_owned(), at: self.now(), ready, wanted };
        lock(&self.looks).push(look);
    }

    fn now(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ensure_running(process: &Process) -> Result<()> {
    anyhow::ensure!(process.is_running(), "{} has ended: {}", process.name(), process.log_tail());
    Ok(())
}
