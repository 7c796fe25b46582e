//! How each kind of fault is done.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;

use super::super::fault::{Fault, Kind, ORDER_MANAGEMENTS, Part, WORKERS, Wire};
use super::{READY_DEADLINE, Stage};
use crate::fault_proxy::FaultProxy;
use crate::process_table;
use crate::processes::Process;

/// A process knows of the loss of a server after this; of a silent one only after twice the
/// heartbeat.
const NOTICED: Duration = Duration::from_secs(3);
const NOTICED_SILENCE: Duration = Duration::from_millis(11_500);

impl Stage<'_> {
    /// Comes back when all is whole again, with the moment from which it was.
    pub(super) async fn inflict(&self, fault: &Fault) -> Result<f64> {
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
}
