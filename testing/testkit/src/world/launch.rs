//! Starting a world and its processes.

use anyhow::Result;

use super::builder::WorldBuilder;
use super::core::{DEFAULT_TIMEOUT, World};
use super::links::{Links, Ports};
use crate::binaries::{self, Binaries};
use crate::fail::OrFail;
use crate::isolation::Isolation;
use crate::ports;
use crate::processes::{Process, ProcessSpec};
use crate::scratch_dir::ScratchDir;
use crate::service_environment::{self, Servers};

impl WorldBuilder {
    /// Starts all processes and waits until they are ready.
    pub async fn start(self) -> World {
        let world = self.launch().await;
        world.ready().await;
        world
    }

    /// Starts all processes, which may not be ready yet.
    pub async fn launch(self) -> World {
        let (order_management, workers) = (self.order_management, self.workers);
        let mut world = self.prepare().await.or_fail("prepare a world");
        for _ in 0..order_management {
            world.add_order_management().await;
        }
        for _ in 0..workers {
            world.add_worker().await;
        }
        world
    }

    async fn prepare(self) -> Result<World> {
        let isolation = if self.private_servers {
            Isolation::on_private_servers().await?
        } else {
            Isolation::on_shared_servers().await?
        };
        Ok(World {
            order_management: Vec::new(),
            workers: Vec::new(),
            auditors: Vec::new(),
            log_collectors: Vec::new(),
            links: self.proxied.then(|| Links::to(&isolation)).transpose()?,
            isolation,
            plan: self,
            http: reqwest::Client::builder().no_proxy().timeout(DEFAULT_TIMEOUT).build()?,
            logs: ScratchDir::new()?,
        })
    }
}

impl World {
    /// Sets a variable for the processes that are added from now on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.plan.order_management_env.push((name.to_owned(), value.to_owned()));
        self.set_worker_env(name, value);
    }

    /// Sets a variable for the workers that are added from now on.
    pub fn set_worker_env(&mut self, name: &str, value: &str) {
        self.plan.worker_env.push((name.to_owned(), value.to_owned()));
    }

    pub(super) async fn launch_order_management(&self, number: usize) -> Result<Process> {
        let Binaries { order_management, .. } = self.binaries().await?;
        let ports = self.links.as_ref().map(|links| links.order_management.ports());
        let mut spec = self.spec(format!("order-management-{number}"), ports)?;
        spec.binary.clone_from(order_management);
        spec.variables.push(("PORT".into(), ports::free()?.to_string()));
        spec.variables.extend_from_slice(&self.plan.order_management_env);
        Process::start(spec)
    }

    pub(super) async fn launch_worker(&self, number: usize) -> Result<Process> {
        let Binaries { payment_processor, .. } = self.binaries().await?;
        let ports = self.links.as_ref().map(|links| links.workers.ports());
        let mut spec = self.spec(format!("worker-{number}"), ports)?;
        spec.binary.clone_from(payment_processor);
        spec.variables.extend_from_slice(&self.plan.worker_env);
        Process::start(spec)
    }

    async fn binaries(&self) -> Result<&Binaries> {
        match &self.plan.binaries {
            Some(binaries) => Ok(binaries),
            None => binaries::fresh().await,
        }
    }

    pub(super) async fn launch_auditor(
        &self,
        number: usize,
        variables: &[(&str, &str)],
    ) -> Result<Process> {
        let mut spec = self.auditor_spec(&format!("auditor-{number}")).await?;
        spec.variables.extend(
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        Process::start(spec)
    }

    pub(super) async fn launch_log_collector(
        &self,
        number: usize,
        variables: &[(&str, &str)],
    ) -> Result<Process> {
        let Binaries { log_collector, .. } = self.binaries().await?;
        let mut spec = self.spec(format!("log-collector-{number}"), None)?;
        spec.binary.clone_from(log_collector);
        spec.variables.extend(
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        Process::start(spec)
    }

    pub(super) async fn auditor_spec(&self, name: &str) -> Result<ProcessSpec> {
        let Binaries { auditor, .. } = self.binaries().await?;
        let mut spec = self.spec(name.to_owned(), None)?;
        spec.binary.clone_from(auditor);
        // The auditor does not use the broker.
        spec.variables.retain(|(name, _)| !name.starts_with("AMQP"));
        Ok(spec)
    }

    fn spec(&self, name: String, proxies: Option<Ports>) -> Result<ProcessSpec> {
        let ports = proxies.unwrap_or(Ports::of(&self.isolation));
        let ops_port = ports::free()?;
        let servers = Servers {
            broker_port: ports.broker,
            vhost: self.name(),
            management: &self.isolation.rabbitmq().management_url(),
            database_port: ports.database,
            database: self.name(),
        };
        let variables = service_environment::of(&servers, ops_port);
        let log = self.logs.path().join(format!("{name}.log"));
        Ok(ProcessSpec { name, binary: Default::default(), variables, ops_port, log })
    }
}
