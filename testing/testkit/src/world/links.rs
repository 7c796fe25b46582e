//! The connections of a world, each of which a test can cut, silence or slow down.

use anyhow::Result;

use crate::fault_proxy::FaultProxy;
use crate::isolation::Isolation;

/// The proxies of one kind of process.
#[derive(Debug)]
pub struct Link {
    /// To RabbitMQ.
    pub broker: FaultProxy,
    /// To PostgreSQL.
    pub database: FaultProxy,
}

/// One link for each kind of process.
#[derive(Debug)]
pub struct Links {
    /// For all order-management processes.
    pub order_management: Link,
    /// For all workers.
    pub workers: Link,
}

/// The ports of a process's servers, or of the proxies before them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) broker: u16,
    pub(super) database: u16,
}

impl Links {
    pub(super) fn to(isolation: &Isolation) -> Result<Links> {
        let ports = Ports::of(isolation);
        Ok(Links { order_management: Link::to(ports)?, workers: Link::to(ports)? })
    }
}

impl Link {
    fn to(ports: Ports) -> Result<Link> {
        let broker = FaultProxy::start(ports.broker)?;
        Ok(Link { broker, database: FaultProxy::start(ports.database)? })
    }

    pub(super) fn ports(&self) -> Ports {
        Ports { broker: self.broker.port(), database: self.database.port() }
    }
}

impl Ports {
    pub(super) fn of(isolation: &Isolation) -> Ports {
        let broker = isolation.rabbitmq().amqp_port();
        Ports { broker, database: isolation.postgres().port() }
    }
}
