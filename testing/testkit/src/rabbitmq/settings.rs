//! Where a node listens, and what it reads at its start.

use std::path::Path;

use anyhow::{Context, Result};

use crate::ports;

/// Where a node listens, on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub struct RabbitMqPorts {
    /// For the services.
    pub amqp: u16,
    /// The management interface, for browsers and for what `management.rs` asks.
    pub management: u16,
    /// Its own numbers, for Prometheus.
    pub metrics: u16,
}

impl RabbitMqPorts {
    /// Free ones.
    pub fn free() -> Result<RabbitMqPorts> {
        Ok(RabbitMqPorts {
            amqp: ports::free()?,
            management: ports::free()?,
            metrics: ports::free()?,
        })
    }
}

/// Those of the image that docker-compose.yml names.
const PLUGINS: &str = "[rabbitmq_management,rabbitmq_prometheus].\n";

/// Writes the files that a node reads at its start.
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
