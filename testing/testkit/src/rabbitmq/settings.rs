//! The ports and settings files of a node.

use std::path::Path;

use anyhow::{Context, Result};

use crate::ports;

/// The ports of a node, on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub struct RabbitMqPorts {
    /// For the services.
    pub amqp: u16,
    /// The management interface.
    pub management: u16,
    /// The node's metrics, for Prometheus.
    pub metrics: u16,
}

impl RabbitMqPorts {
    /// Free ports.
    pub fn free() -> Result<RabbitMqPorts> {
        Ok(RabbitMqPorts {
            amqp: ports::free()?,
            management: ports::free()?,
            metrics: ports::free()?,
        })
    }
}

/// The plugins of the image in docker-compose.yml.
const PLUGINS: &str = "[rabbitmq_management,rabbitmq_prometheus].\n";

/// Writes the settings files.
pub(super) fn write(dir: &Path, ports: RabbitMqPorts) -> Result<()> {
    let settings = format!(
        "listeners.tcp.1 = 127.0.0.1:{}\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {}\n\
         prometheus.tcp.ip = 127.0.0.1\n\
         prometheus.tcp.port = {}\n",
        ports.amqp, ports.management, ports.metrics
    );
    std::fs::write(dir.join("rabbitmq.conf"), settings)?;
    std::fs::write(dir.join("enabled_plugins"), PLUGINS)?;
    std::fs::write(dir.join("rabbitmq-env.conf"), "")?;
    std::fs::create_dir_all(dir.join("conf.d")).context("make RabbitMQ's conf.d")
}
