//! The servers and services of the local stack.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::home::Home;
use super::say;
use crate::binaries;
use crate::ports;
use crate::postgres::Postgres;
use crate::processes::{Process, ProcessSpec, READY_DEADLINE};
use crate::rabbitmq::{RabbitMq, RabbitMqPorts};
use crate::service_environment::{self, Servers};

const HTTP_PORT: u16 = 3000;
const WORKERS: usize = 2;
pub(super) const DATABASE: &str = "ordermill";

/// Pause between two checks that all processes are alive, and between two starts of one that dies at
/// once.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Longer than a service may take to drain.
const DRAIN_DEADLINE: Duration = Duration::from_secs(60);

/// Everything that runs. Fields are dropped in this order.
pub(super) struct Stack {
    pub(super) http_port: u16,
    pub(super) audit_url: String,
    services: Vec<Process>,
    pub(super) rabbitmq: RabbitMq,
    pub(super) postgres: Postgres,
}

impl Stack {
    /// Starts it all and waits until all is ready.
    pub(super) async fn start(home: &mut Home) -> Result<Stack> {
        say("starting PostgreSQL and RabbitMQ");
        let ports = RabbitMqPorts {
            amqp: home.port("amqp")?,
            management: home.port("rabbitmq")?,
            metrics: home.port("rabbitmq_metrics")?,
        };
        let (postgres_dir, postgres_port) = (home.postgres()?, home.port("postgres")?);
        let rabbitmq_dir = home.rabbitmq();
        home.signing_key()?;
        let (built, rabbitmq, postgres) = tokio::try_join!(
            binaries::fresh(),
            RabbitMq::start_on(&rabbitmq_dir, ports),
            Postgres::start_on(&postgres_dir, postgres_port),
        )?;
        postgres.ensure_database(DATABASE).await?;
        let http_port = ports::free_or(HTTP_PORT)?;
        if http_port != HTTP_PORT {
            say(&format!("port {HTTP_PORT} is taken; the API is on port {http_port}"));
        }
        let audit_url = String::new();
        let services = Vec::new();
        let mut stack = Stack { http_port, audit_url, services, rabbitmq, postgres };
        stack.add_service(home, "order-management", &built.order_management)?;
        for number in 1..=WORKERS {
            stack.add_service(home, &format!("worker-{number}"), &built.payment_processor)?;
        }
        stack.add_service(home, "auditor", &built.auditor)?;
        stack.audit_url =
            stack.services.last().map(|auditor| auditor.ops_url("/")).unwrap_or_default();
        for service in &stack.services {
            service.ready(READY_DEADLINE).await?;
        }
        Ok(stack)
    }

    fn add_service(&mut self, home: &mut Home, name: &str, binary: &Path) -> Result<()> {
        let ops_port = home.port(name)?;
        let servers = Servers {
            broker_port: self.rabbitmq.amqp_port(),
            vhost: "%2f",
            management: &self.rabbitmq.management_url(),
            database_port: self.postgres.port(),
            database: DATABASE,
        };
        let mut variables = service_environment::of(&servers, ops_port);
        variables.push(("PORT".into(), self.http_port.to_string()));
        let key = home.signing_key()?.to_string_lossy().into_owned();
        variables.push(("REQUEST_SIGNING_KEY_FILE".into(), key));
        self.services.push(Process::start(ProcessSpec {
            name: name.to_owned(),
            binary: binary.to_owned(),
            variables,
            ops_port,
            log: home.log(name)?,
        })?);
        Ok(())
    }

    /// The metrics URL of each process, by its name.
    pub(super) fn metrics_urls(&self) -> impl Iterator<Item = (&str, String)> {
        self.services.iter().map(|service| (service.name(), service.ops_url("/metrics")))
    }

    /// Restarts each process that dies, for ever.
    pub(super) async fn keep_running(&self) -> Infallible {
        loop {
            sleep(CHECK_INTERVAL).await;
            if !self.postgres.is_running() {
                say("PostgreSQL has died; starting it again");
                complain(self.postgres.start_again().await);
            }
            if !self.rabbitmq.is_running() {
                say("RabbitMQ has died; starting it again");
                complain(self.rabbitmq.start_again().await);
            }
            for service in self.services.iter().filter(|service| !service.is_running()) {
                say(&format!("{} has died; starting it again", service.name()));
                complain(service.start_again());
            }
        }
    }

    /// Stops the services, which drain, and then the servers.
    pub(super) async fn stop(&self) -> Result<()> {
        for service in &self.services {
            service.sigterm()?;
        }
        for service in &self.services {
            service.wait_exit(DRAIN_DEADLINE).await?;
        }
        tokio::try_join!(self.rabbitmq.stop(), self.postgres.stop())?;
        Ok(())
    }
}

fn complain(result: Result<()>) {
    if let Err(error) = result {
        say(&format!("that failed: {error:?}"));
    }
}
