//! A whole Ordermill for one test: a database, a virtual host, and real processes on them.
//!
//! Its methods are the sentences of a test. They panic, through [`crate::fail`], where the thing
//! they say can't be done.

mod audit;
mod builder;
mod http;
mod links;
mod orders;
mod queues;
mod sql;

use std::time::Duration;

pub use audit::Audited;
pub use builder::WorldBuilder;
pub use http::Reply;
pub use links::{Link, Links};
pub use orders::{Order, order_body};

use crate::balancer::Balancer;
use crate::fail::OrFail;
use crate::postgres::Postgres;
use crate::processes::{Process, READY_DEADLINE};
use crate::rabbitmq::RabbitMq;
use crate::scratch_dir::ScratchDir;
use crate::tenancy::Tenancy;

/// How long anything in a test is waited for, unless it says otherwise. Long, because machines that
/// run tests are busy; nothing takes it that works.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Processes, and what they run on. Fields are dropped in this order: services first.
#[derive(Debug)]
pub struct World {
    pub(crate) order_management: Vec<Process>,
    pub(crate) workers: Vec<Process>,
    pub(crate) auditors: Vec<Process>,
    pub(crate) log_collectors: Vec<Process>,
    links: Option<Links>,
    tenancy: Tenancy,
    plan: WorldBuilder,
    http: reqwest::Client,
    logs: ScratchDir,
}

impl World {
    /// One order-management and one worker on the shared servers, ready.
    pub async fn start() -> World {
        World::builder().start().await
    }

    /// Anything else.
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

    /// One more order-management process, which may not be ready yet. Returns its number.
    pub async fn add_order_management(&mut self) -> usize {
        let number = self.order_management.len();
        let process = self.launch_order_management(number).await;
        self.order_management.push(process.or_fail("start order-management"));
        number
    }

    /// One more worker, which may not be ready yet. Returns its number.
    pub async fn add_worker(&mut self) -> usize {
        let number = self.workers.len();
        let process = self.launch_worker(number).await;
        self.workers.push(process.or_fail("start a worker"));
        number
    }

    /// One more auditor with these variables, which may not be ready yet. Returns its number.
    pub async fn add_auditor(&mut self, variables: &[(&str, &str)]) -> usize {
        let number = self.auditors.len();
        let process = self.launch_auditor(number, variables).await;
        self.auditors.push(process.or_fail("start an auditor"));
        number
    }

    /// One more log collector with these variables, which may not be ready yet. Returns its number.
    pub async fn add_log_collector(&mut self, variables: &[(&str, &str)]) -> usize {
        let number = self.log_collectors.len();
        let process = self.launch_log_collector(number, variables).await;
        self.log_collectors.push(process.or_fail("start a log collector"));
        number
    }

    /// Waits until every process that runs is ready.
    pub async fn ready(&self) {
        self.ready_within(READY_DEADLINE).await;
    }

    /// The same with another deadline, counted for each process.
    pub async fn ready_within(&self, deadline: Duration) {
        for process in self.processes().filter(|process| process.is_running()) {
            process.ready(deadline).await.or_fail("become ready");
        }
    }

    /// What stands between the processes and their servers.
    pub fn links(&self) -> &Links {
        self.links.as_ref().or_fail("find the proxies, which a world has that is `.proxied()`")
    }

    /// The store, to be broken.
    pub fn postgres(&self) -> &Postgres {
        &self.tenancy.private().or_fail("break a server without `.private_servers()`").postgres
    }

    /// The queue, to be broken.
    pub fn rabbitmq(&self) -> &RabbitMq {
        &self.tenancy.private().or_fail("break a server without `.private_servers()`").rabbitmq
    }

    /// Where it lives, for those who measure its servers and don't break them.
    pub fn tenancy(&self) -> &Tenancy {
        &self.tenancy
    }

    /// A balancer in front of its first two order-management processes.
    pub fn balance(&self) -> Balancer {
        let port = |i| self.order_management(i).variable("PORT").and_then(|port| port.parse().ok());
        let port = |i| port(i).or_fail("find the port of order-management");
        Balancer::start([port(0), port(1)], self.logs.path()).or_fail("start a balancer")
    }

    /// What its processes could reach its virtual host with.
    pub fn broker_url(&self, user: &str, password: &str) -> String {
        let port = self.tenancy.rabbitmq().amqp_port();
        format!("amqp://{user}:{password}@127.0.0.1:{port}/{}", self.name())
    }

    /// The name of its database and of its virtual host.
    pub fn name(&self) -> &str {
        self.tenancy.name()
    }
}
