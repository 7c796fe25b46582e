//! Breaks things, and makes them whole again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;

use super::evidence::{Exit, Look, Mark};
use super::fault::{Fault, Kind, ORDER_MANAGEMENTS, Part, WORKERS, Wire};
use super::schedule::Step;
use crate::fault_proxy::FaultProxy;
use crate::process_table;
use crate::processes::Process;
use crate::world::World;

/// A process that was asked to end has 10 s to drain and a second more.
const EXIT_DEADLINE: Duration = Duration::from_secs(20);
const READY_DEADLINE: Duration = Duration::from_secs(60);
/// A process knows of the loss of a server after this; of a silent one only after twice the
/// heartbeat.
const NOTICED: Duration = Duration::from_secs(3);
const NOTICED_SILENCE: Duration = Duration::from_millis(11_500);

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

    /// Comes back when all is whole again, with the moment from which it was.
    async fn inflict(&self, fault: &Fault) -> Result<f64> {
        let (orders, worker) = (fault.order_management, fault.worker);
        match fault.kind.part() {
            Part::OrderManagement => {
                let all: Vec<_> =
                    (0..ORDER_MANAGEMENTS).map(|i| self.world.order_management(i)).collect();
                self.processes(fault, (&all, self.world.order_management(orders))).await
            }
            Part::Workers => {
                let all: Vec<_> = (0..WORKERS).map(|i| self.world.worker(i)).collect();
                self.processes(fault, (&all, self.world.worker(worker))).await
            }
            Part::Broker => self.broker(fault).await,
            Part::Database => self.database(fault).await,
            Part::Wires => self.wire(fault).await,
        }
    }

    async fn processes(&self, fault: &Fault, (all, one): (&[&Process], &Process)) -> Result<f64> {
        match fault.kind {
            Kind::RollOrderManagements | Kind::RollWorkers => {
                for process in all {
                    self.stop(process).await?;
                    process.start_again()?;
                    process.ready(READY_DEADLINE).await?;
                }
                Ok(self.now())
            }
            Kind::FreezeOrderManagement | Kind::FreezeWorker => {
                one.sigstop()?;
                sleep(fault.lasts).await;
                one.sigcont()?;
                Ok(self.now())
            }
            Kind::KillBothOrderManagements | Kind::KillAllWorkers => {
                self.killed(all, fault.lasts).await
            }
            _ => self.killed(&[one], fault.lasts).await,
        }
    }

    async fn killed(&self, processes: &[&Process], lasts: Duration) -> Result<f64> {
        for process in processes {
            process.sigkill().await?;
        }
        sleep(lasts).await;
        for process in processes {
            process.start_again()?;
        }
        Ok(self.now())
    }

    async fn broker(&self, fault: &Fault) -> Result<f64> {
        let rabbitmq = self.world.rabbitmq();
        match fault.kind {
            Kind::MemoryAlarm => {
                rabbitmq.raise_memory_alarm().await?;
                sleep(fault.lasts).await;
                rabbitmq.clear_memory_alarm().await?;
            }
            Kind::FreezeBroker => {
                let node = rabbitmq.pid().context("RabbitMQ has ended")?;
                self.frozen(&[node], fault.lasts).await?;
            }
            Kind::RestartBroker => {
                rabbitmq.stop().await?;
                self.gone(fault.lasts, None).await;
                rabbitmq.start_again().await?;
            }
            _ => {
                rabbitmq.kill().await?;
                self.gone(fault.lasts, None).await;
                rabbitmq.start_again().await?;
            }
        }
        Ok(self.now())
    }

    async fn database(&self, fault: &Fault) -> Result<f64> {
        let postgres = self.world.postgres();
        match fault.kind {
            Kind::SilenceGateway => {
                // Whoever waits for a capture waits for this lock; the capture then happens
                // although nobody waits for it any more.
                let lock = format!(
                    "do $$ begin lock table simulated_gateway.captures in exclusive mode; \
                     perform pg_sleep({}); end $$",
                    fault.lasts.as_secs_f64()
                );
                self.world.try_sql(&lock, &[]).await.context("silence the gateway")?;
            }
            Kind::FreezeDatabase => {
                let postmaster = postgres.pid().context("PostgreSQL has ended")?;
                kill(postmaster, Signal::SIGSTOP)?;
                let mut family = vec![postmaster];
                family.extend(process_table::children_of(postmaster));
                self.frozen(&family, fault.lasts).await?;
            }
            Kind::RestartDatabase => {
                postgres.stop().await?;
                self.gone(fault.lasts, None).await;
                postgres.start_again().await?;
            }
            _ => {
                postgres.kill().await?;
                self.gone(fault.lasts, None).await;
                postgres.start_again().await?;
            }
        }
        Ok(self.now())
    }

    async fn frozen(&self, processes: &[Pid], lasts: Duration) -> Result<()> {
        for pid in processes {
            // Whoever ended meanwhile needs no stopping.
            kill(*pid, Signal::SIGSTOP).ok();
        }
        sleep(lasts).await;
        for pid in processes {
            kill(*pid, Signal::SIGCONT).ok();
        }
        Ok(())
    }

    async fn wire(&self, fault: &Fault) -> Result<f64> {
        let wire = self.wire_of(fault.wire);
        let kind = Some(fault.wire);
        match fault.kind {
            Kind::CutWire => wire.cut_once(),
            Kind::CutWires => {
                wire.cut();
                self.gone(fault.lasts, kind).await;
            }
            Kind::BlackHole => {
                wire.black_hole();
                sleep(fault.lasts).await;
                if fault.lasts > NOTICED_SILENCE {
                    self.look_at_those_without(kind).await;
                }
            }
            _ => {
                wire.delay(fault.delay);
                sleep(fault.lasts).await;
            }
        }
        wire.heal();
        Ok(self.now())
    }

    fn wire_of(&self, wire: Wire) -> &FaultProxy {
        let links = self.world.links();
        match wire {
            Wire::OrderManagementToBroker => &links.order_management.broker,
            Wire::OrderManagementToDatabase => &links.order_management.database,
            Wire::WorkersToBroker => &links.workers.broker,
            Wire::WorkersToDatabase => &links.workers.database,
        }
    }

    /// A server is gone that long. At the end whoever needs it has to know.
    async fn gone(&self, lasts: Duration, wire: Option<Wire>) {
        sleep(lasts).await;
        if lasts > NOTICED {
            self.look_at_those_without(wire).await;
        }
    }

    /// Those behind the wire, or all of them.
    async fn look_at_those_without(&self, wire: Option<Wire>) {
        for process in self.world.processes() {
            let concerned = match wire {
                None => true,
                Some(Wire::OrderManagementToBroker | Wire::OrderManagementToDatabase) => {
                    process.name().starts_with("order-management")
                }
                Some(Wire::WorkersToBroker | Wire::WorkersToDatabase) => {
                    process.name().starts_with("worker")
                }
            };
            if concerned {
                let asked = self.world.http().get(process.ops_url("/health/ready"));
                let answer = asked.timeout(NOTICED).send().await;
                let ready = answer.ok().map(|answer| answer.status().is_success());
                self.note_look(process, ready, false);
            }
        }
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
