//! What both services have to be told, in the tests as in the local stack.

use crate::{postgres, rabbitmq};

/// Where a process finds its servers, on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Servers<'a> {
    pub(crate) broker_port: u16,
    /// As it stands in a URL.
    pub(crate) vhost: &'a str,
    pub(crate) database_port: u16,
    pub(crate) database: &'a str,
}

/// The whole environment of a worker; order-management also needs its `PORT`.
pub(crate) fn of(servers: &Servers<'_>, ops_port: u16) -> Vec<(String, String)> {
    let Servers { broker_port, vhost, database_port, database } = servers;
    let (user, password) = (rabbitmq::USER, rabbitmq::PASSWORD);
    let broker = format!("amqp://{user}:{password}@127.0.0.1:{broker_port}/{vhost}");
    let variables = [
        ("AMQP_SERVER_URL", broker),
        ("POSTGRES_HOST", "127.0.0.1".into()),
        ("POSTGRES_PORT", database_port.to_string()),
        ("POSTGRES_USER", postgres::USER.into()),
        ("POSTGRES_PASSWORD", postgres::PASSWORD.into()),
        ("POSTGRES_DB", (*database).into()),
        ("BIND_ADDRESS", "127.0.0.1".into()),
        ("OPS_PORT", ops_port.to_string()),
        // Nobody balances between processes of a test, unless it says so.
        ("SHUTDOWN_DELAY_MS", "0".into()),
        ("RUST_LOG", "info".into()),
        ("LOG_FORMAT", "text".into()),
        ("RUST_BACKTRACE", "1".into()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}
