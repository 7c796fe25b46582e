//! Settings of shipping.

use std::time::Duration;

use amqp::{BrokerSettings, ConnectionSettings};
use service::{Env, Setting};

use crate::route::{LogRoute, read_exchange};

const BUFFER: Setting = Setting {
    name: "LOG_SHIP_BUFFER",
    unit: "lines",
    help: "Maximum number of log lines that wait to be shipped, at most 16 MiB; further lines are \
           dropped and counted.",
};

/// The destination of log lines and the bound of those that wait.
#[derive(Clone, Debug)]
pub struct ShippingSettings {
    pub(crate) connection: ConnectionSettings,
    pub(crate) confirm_timeout: Duration,
    pub(crate) route: LogRoute,
    pub(crate) buffer: usize,
}

impl ShippingSettings {
    /// Reads the settings. An exchange with a name that `broker` uses is an error.
    pub fn read(env: &mut Env, broker: &BrokerSettings) -> ShippingSettings {
        let exchange = read_exchange(env, "");
        if broker.reserved_names().contains(&exchange) {
            env.refuse(format!(
                "LOG_EXCHANGE={exchange:?}: must be another name: a queue of log lines with this name \
                 would collide with the queues of orders"
            ));
        }
        ShippingSettings {
            connection: broker.connection.clone(),
            confirm_timeout: broker.confirm_timeout,
            buffer: env
                .read_if(!exchange.is_empty(), |env| env.number(&BUFFER, 10_000, 1..=1_000_000)),
            route: LogRoute { exchange },
        }
    }
}
