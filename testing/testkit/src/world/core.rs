//! The processes of a world, and the servers they run on.

use std::time::Duration;

use super::builder::WorldBuilder;
use super::links::Links;
use crate::balancer::Balancer;
use crate::fail::OrFail;
use crate::isolation::Isolation;
use crate::postgres::Postgres;
use crate::processes::{Process, READY_DEADLINE};
use crate::rabbitmq::RabbitMq;
use crate::scratch_dir::ScratchDir;

/// Default timeout of a test's waits. Long, because test machines are busy; a condition that holds
/// ends the wait at once.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The processes and servers of one test. Fields are dropped in this order: services first.
#[derive(Debug)]
pub struct World {
    pub(crate) order_management: Vec<Process>,
    pub(crate) workers: Vec<Process>,
    pub(crate) auditors: Vec<Process>,
    pub(crate) log_collectors: Vec<Process>,
    pub(super) links: Option<Links>,
    pub(super) isolation: Isolation,
    pub(super) plan: WorldBuilder,
    pub(super) http: reqwest::Client,
    pub(super) logs: ScratchDir,
}

impl World {
    /// Starts one order-management and one worker on the shared servers, and waits until both are
    /// ready.
    pub async fn start() -> World {
        World::builder().start().await
    }

    /// The builder of any other world.
    pub fn builder() -> WorldBuilder {
        WorldBuilder::default()
    }

    /// The i-th order-management process, from 0.
    pub fn order_management(&self, i: usize) -> &Process {
        self.order_management.get(i).or_fail("find an order-management process of that number")
    }

    /// The i-th worker, from 0.
    pub fn worker(&self, i: usize) -> &Process {
        self.workers.get(i).or_fail("find a worker of that number")
    }

    /// The i-th auditor, from 0.
    pub fn auditor(&self, i: usize) -> &Process {
        self.auditors.get(i).or_fail("find an auditor of that number")
    }

    /// The i-th log collector, from 0.
    pub fn log_collector(&self, i: usize) -> &Process {
        self.log_collectors.get(i).or_fail("find a log collector of that number")
    }

    /// Every process.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        let services = self.order_management.iter().chain(&self.workers);
        services.chain(&self.auditors).chain(&self.log_collectors)
    }

    /// Starts one more order-management process, which may not be ready yet. Returns its number.
    pub async fn add_order_management(&mut self) -> usize {
        let number = self.order_management.len();
        let process = self.launch_order_management(number).await;
        self.order_management.push(process.or_fail("start order-management"));
        number
    }

    /// Starts one more worker, which may not be ready yet. Returns its number.
    pub async fn add_worker(&mut self) -> usize {
        let number = self.workers.len();
        let process = self.launch_worker(number).await;
        self.workers.push(process.or_fail("start a worker"));
        number
    }

    /// Starts one more auditor with these variables, which may not be ready yet. Returns its
    /// number.
    pub async fn add_auditor(&mut self, variables: &[(&str, &str)]) -> usize {
        let number = self.auditors.len();
        let process = self.launch_auditor(number, variables).await;
        self.auditors.push(process.or_fail("start an auditor"));
        number
    }

    /// Starts one more log collector with these variables, which may not be ready yet. Returns its
    /// number.
    pub async fn add_log_collector(&mut self, variables: &[(&str, &str)]) -> usize {
        let number = self.log_collectors.len();
        let process = self.launch_log_collector(number, variables).await;
        self.log_collectors.push(process.or_fail("start a log collector"));
        number
    }

    /// Waits until every running process is ready.
    pub async fn ready(&self) {
        self.ready_within(READY_DEADLINE).await;
    }

    /// [`World::ready`] with another deadline, which applies to each process.
    pub async fn ready_within(&self, deadline: Duration) {
        for process in self.processes().filter(|process| process.is_running()) {
            process.ready(deadline).await.or_fail("become ready");
        }
    }

    /// The proxies between the processes and their servers.
    pub fn links(&self) -> &Links {
        self.links.as_ref().or_fail("find the proxies of a world that is not `.proxied()`")
    }

    /// The PostgreSQL server, for tests that break it.
    pub fn postgres(&self) -> &Postgres {
        &self.isolation.private().or_fail("break a server without `.private_servers()`").postgres
    }

    /// The RabbitMQ node, for tests that break it.
    pub fn rabbitmq(&self) -> &RabbitMq {
        &self.isolation.private().or_fail("break a server without `.private_servers()`").rabbitmq
    }

    /// The database and the virtual host, for tests that do not break the servers.
    pub fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    /// Starts a load balancer in front of the first two order-management processes.
    pub fn balance(&self) -> Balancer {
        let port = |i| self.order_management(i).variable("PORT").and_then(|port| port.parse().ok());
        let port = |i| port(i).or_fail("find the port of order-management");
        Balancer::start([port(0), port(1)], self.logs.path()).or_fail("start a balancer")
    }

    /// The URL of the virtual host for a user.
    pub fn broker_url(&self, user: &str, password: &str) -> String {
        let port = self.isolation.rabbitmq().amqp_port();
        format!("amqp://{user}:{password}@127.0.0.1:{port}/{}", self.name())
    }

    /// The name of the database and of the virtual host.
    pub fn name(&self) -> &str {
        self.isolation.name()
    }
}
