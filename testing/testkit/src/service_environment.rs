//! The environment of the services, in tests and in the local stack.

use crate::{postgres, rabbitmq};

/// The servers of a process, on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Servers<'a> {
    pub(crate) broker_port: u16,
    /// The virtual host, in the form of a URL.
    pub(crate) vhost: &'a str,
    /// The URL of the broker's management interface.
    pub(crate) management: &'a str,
    pub(crate) database_port: u16,
    pub(crate) database: &'a str,
}

/// The whole environment of a worker; order-management also needs its `PORT`.
pub(crate) fn of(servers: &Servers<'_>, ops_port: u16) -> Vec<(String, String)> {
    let Servers { broker_port, vhost, management, database_port, database } = servers;
    let (user, password) = (rabbitmq::USER, rabbitmq::PASSWORD);
    let broker = format!("amqp://{user}:{password}@127.0.0.1:{broker_port}/{vhost}");
    let variables = [
        ("AMQP_SERVER_URL", broker),
        ("RABBITMQ_MANAGEMENT_URL", (*management).into()),
        ("POSTGRES_HOST", "127.0.0.1".into()),
        ("POSTGRES_PORT", database_port.to_string()),
        ("POSTGRES_USER", postgres::USER.into()),
        ("POSTGRES_PASSWORD", postgres::PASSWORD.into()),
        ("POSTGRES_DB", (*database).into()),
        ("BIND_ADDRESS", "127.0.0.1".into()),
        ("OPS_PORT", ops_port.to_string()),
        // Only tests that set the delay have a load balancer in front of their processes.
        ("SHUTDOWN_DELAY_MS", "0".into()),
        ("RUST_LOG", "info".into()),
        ("LOG_FORMAT", "text".into()),
        ("RUST_BACKTRACE", "1".into()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}
