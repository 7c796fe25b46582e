//! The implementation of each kind of fault.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;

use super::super::fault::{Fault, Kind, ORDER_MANAGEMENTS, WORKERS, Wire};
use super::{FaultInjector, READY_DEADLINE};
use testkit::fault_proxy::FaultProxy;
use testkit::process_table;
use testkit::processes::Process;

/// Time after which a process reports the loss of a server; a silent server is noticed only after
/// twice the heartbeat.
const NOTICED: Duration = Duration::from_secs(3);
const NOTICED_SILENCE: Duration = Duration::from_millis(11_500);

/// The way in which a server ends.
#[derive(Clone, Copy)]
enum Way {
    Killed,
    Stopped,
}

impl FaultInjector<'_> {
    /// Injects the fault, heals it, and returns the time of the healing.
    pub(super) async fn inflict(&self, fault: &Fault) -> Result<f64> {
        let orders: Vec<_> =
            (0..ORDER_MANAGEMENTS).map(|i| self.world.order_management(i)).collect();
        let workers: Vec<_> = (0..WORKERS).map(|i| self.world.worker(i)).collect();
        let order_management = self.world.order_management(fault.order_management);
        let worker = self.world.worker(fault.worker);
        match fault.kind {
            Kind::KillOrderManagement => self.killed(&[order_management], fault.lasts).await?,
            Kind::KillBothOrderManagements => self.killed(&orders, fault.lasts).await?,
            Kind::FreezeOrderManagement => halted(order_management, fault.lasts).await?,
            Kind::RollOrderManagements => self.rolled(&orders).await?,
            Kind::KillWorker => self.killed(&[worker], fault.lasts).await?,
            Kind::KillAllWorkers => self.killed(&workers, fault.lasts).await?,
            Kind::FreezeWorker => halted(worker, fault.lasts).await?,
            Kind::RollWorkers => self.rolled(&workers).await?,
            Kind::KillBroker => self.broker_away(fault.lasts, Way::Killed).await?,
            Kind::RestartBroker => self.broker_away(fault.lasts, Way::Stopped).await?,
            Kind::FreezeBroker => self.freeze_broker(fault.lasts).await?,
            Kind::MemoryAlarm => self.memory_alarm(fault.lasts).await?,
            Kind::KillDatabase => self.database_away(fault.lasts, Way::Killed).await?,
            Kind::RestartDatabase => self.database_away(fault.lasts, Way::Stopped).await?,
            Kind::FreezeDatabase => self.freeze_database(fault.lasts).await?,
            Kind::SilenceGateway => self.silence_gateway(fault.lasts).await?,
            Kind::CutWire => self.wire_of(fault.wire).cut_once(),
            Kind::CutWires => {
                self.wire_of(fault.wire).cut();
                self.gone(fault.lasts, Some(fault.wire)).await;
                self.wire_of(fault.wire).heal();
            }
            Kind::BlackHole => self.black_hole(fault).await,
            Kind::Delay => {
                self.wire_of(fault.wire).delay(fault.delay);
                sleep(fault.lasts).await;
                self.wire_of(fault.wire).heal();
            }
        }
        Ok(self.now())
    }

    async fn rolled(&self, processes: &[&Process]) -> Result<()> {
        for process in processes {
            self.stop(process).await?;
            process.start_again()?;
            process.ready(READY_DEADLINE).await?;
        }
        Ok(())
    }

    async fn killed(&self, processes: &[&Process], lasts: Duration) -> Result<()> {
        for process in processes {
            process.sigkill().await?;
        }
        sleep(lasts).await;
        for process in processes {
            process.start_again()?;
        }
        Ok(())
    }

    async fn broker_away(&self, lasts: Duration, way: Way) -> Result<()> {
        let rabbitmq = self.world.rabbitmq();
        match way {
            Way::Killed => rabbitmq.kill().await?,
            Way::Stopped => rabbitmq.stop().await?,
        }
        // Order-management takes orders without it.
        self.gone(lasts, Some(Wire::WorkersToBroker)).await;
        rabbitmq.start_again().await
    }

    async fn freeze_broker(&self, lasts: Duration) -> Result<()> {
        let node = self.world.rabbitmq().pid().context("RabbitMQ has ended")?;
        frozen(&[node], lasts).await;
        Ok(())
    }

    async fn memory_alarm(&self, lasts: Duration) -> Result<()> {
        self.world.rabbitmq().raise_memory_alarm().await?;
        sleep(lasts).await;
        self.world.rabbitmq().clear_memory_alarm().await
    }

    async fn database_away(&self, lasts: Duration, way: Way) -> Result<()> {
        let postgres = self.world.postgres();
        match way {
            Way::Killed => postgres.kill().await?,
            Way::Stopped => postgres.stop().await?,
        }
        self.gone(lasts, None).await;
        postgres.start_again().await
    }

    async fn freeze_database(&self, lasts: Duration) -> Result<()> {
        let postmaster = self.world.postgres().pid().context("PostgreSQL has ended")?;
        // Stopped first, it can't start another child.
        kill(postmaster, Signal::SIGSTOP)?;
        let mut family = vec![postmaster];
        family.extend(process_table::children_of(postmaster));
        frozen(&family, lasts).await;
        Ok(())
    }

    /// Every capture waits for this lock. When the lock is released the capture happens, although
    /// its caller has stopped waiting.
    async fn silence_gateway(&self, lasts: Duration) -> Result<()> {
        let lock = format!(
            "do $$ begin lock table simulated_gateway.captures in exclusive mode; \
             perform pg_sleep({}); end $$",
            lasts.as_secs_f64()
        );
        self.world.try_sql(&lock, &[]).await.context("silence the gateway")?;
        Ok(())
    }

    async fn black_hole(&self, fault: &Fault) {
        self.wire_of(fault.wire).black_hole();
        sleep(fault.lasts).await;
        if fault.lasts > NOTICED_SILENCE {
            self.check_readiness_behind(Some(fault.wire)).await;
        }
        self.wire_of(fault.wire).heal();
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

    /// Waits while a server is gone. Just before the end, every process that needs the server has
    /// to report that it is not ready.
    async fn gone(&self, lasts: Duration, wire: Option<Wire>) {
        sleep(lasts).await;
        if lasts > NOTICED {
            self.check_readiness_behind(wire).await;
        }
    }

    /// Checks the processes behind the wire, or all of them.
    async fn check_readiness_behind(&self, wire: Option<Wire>) {
        for process in self.world.processes() {
            let concerned = match wire {
                None => true,
                Some(Wire::OrderManagementToBroker) => false,
                Some(Wire::OrderManagementToDatabase) => {
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
                self.note_readiness(process, ready, false);
            }
        }
    }
}

async fn halted(process: &Process, lasts: Duration) -> Result<()> {
    process.sigstop()?;
    sleep(lasts).await;
    process.sigcont()
}

async fn frozen(processes: &[Pid], lasts: Duration) {
    for pid in processes {
        // A process that has ended since the listing needs no signal.
        kill(*pid, Signal::SIGSTOP).ok();
    }
    sleep(lasts).await;
    for pid in processes {
        kill(*pid, Signal::SIGCONT).ok();
    }
}
