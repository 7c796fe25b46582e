use std::time::Duration;

use messages::{PACK_MAX, SigningKeys};
use service::{Env, Setting};

use crate::management::ManagementSettings;
use crate::outgoing::Route;
use crate::topology::{Topology, WorkQueue, WorkSubscription};
use crate::url::{BrokerUrls, read_urls};

const CONNECT_TIMEOUT: Setting = Setting {
    name: "AMQP_CONNECT_TIMEOUT_MS",
    unit: "milliseconds",
    help: "Time for one attempt to connect and declare the queues.",
};
const UNACKED_BYTES_MAX: Setting = Setting {
    name: "UNACKED_BYTES_MAX",
    unit: "bytes",
    help: "Largest size of the unacked messages of a consumer together; past that it receives no \
           further message before others are handled. A larger message is received alone.",
};
const CONFIRM_TIMEOUT: Setting = Setting {
    name: "CONFIRM_TIMEOUT_MS",
    unit: "milliseconds",
    help: "Time for the broker to confirm a batch; after that the connection is given up.",
};

const EXCHANGE: Setting = Setting {
    name: "EXCHANGE_NAME",
    unit: "text",
    help: "The direct exchange between the services.",
};
const SEND: Setting = Setting {
    name: "SEND_ROUTING_KEY",
    unit: "text",
    help: "Routing key and queue of what this service sends.",
};
const RECEIVE: Setting = Setting {
    name: "RECEIVE_ROUTING_KEY",
    unit: "text",
    help: "Routing key and queue of what this service receives.",
};
const DELIVERY_LIMIT: Setting = Setting {
    name: "DELIVERY_LIMIT",
    unit: "deliveries",
    help: "Deliveries of one message to consumers that died, before the broker dead-letters it. \
           The same for all processes; changing it needs new queues.",
};
const PREFETCH: Setting = Setting {
    name: "PREFETCH",
    unit: "messages",
    help: "Largest number of unacked messages of a process; a worker also charges at most this \
           many orders at the same time.",
};
const RETRY_DELAYS: Setting = Setting {
    name: "RETRY_DELAYS_MS",
    unit: "milliseconds, separated by commas",
    help: "Delays before the gateway is asked again about a charge without a verdict; the last \
           delay repeats. The same for all processes.",
};
const RETRY_DELAYS_DEFAULT: &str = "500,2000,10000,30000,60000";
const SIGNING_KEY: Setting = Setting {
    name: "REQUEST_SIGNING_KEY",
    unit: "text of 32 characters or more; several separated by commas",
    help: "Signs payment requests, with the first key; a worker charges only what one of the keys \
           has signed. The same for all processes.",
};
const RECONCILE_AFTER: Setting = Setting {
    name: "RECONCILE_AFTER_MS",
    unit: "milliseconds",
    help: "Time that an overdue order may wait, with no message in any queue, before its payment \
           is requested again; a worker drops a second message of an order until the scheduled one is \
           overdue by it. The same for all processes.",
};
const ORDERS_PER_MESSAGE: Setting = Setting {
    name: "ORDERS_PER_MESSAGE",
    unit: "orders",
    help: "Largest number of orders in one message that this service sends under load.",
};

/// The broker and the program that connects to it.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// The URLs of the brokers.
    pub brokers: BrokerUrls,
    /// Time for one attempt to connect and declare.
    pub connect_timeout: Duration,
    /// Largest number of bytes of unacked messages of a consumer.
    pub unacked_bytes_max: u64,
    /// The program's name, shown in the broker's list of connections.
    pub app: &'static str,
}

impl ConnectionSettings {
    /// Reads them.
    pub fn read(env: &mut Env, app: &'static str) -> ConnectionSettings {
        let connect_timeout = env.millis(&CONNECT_TIMEOUT, 10_000, 100..=120_000);
        let unacked_bytes_max =
            env.number(&UNACKED_BYTES_MAX, 16 * 1024 * 1024, 1024 * 1024..=1024 * 1024 * 1024);
        ConnectionSettings { brokers: read_urls(env), connect_timeout, unacked_bytes_max, app }
    }

    /// The same broker with frames as large as it allows, for a reader of messages whose properties
    /// do not fit into ours.
    #[must_use]
    pub fn with_the_largest_frames(&self) -> ConnectionSettings {
        ConnectionSettings { brokers: self.brokers.with_the_largest_frames(), ..self.clone() }
    }
}

/// The broker, its exchange and queues, and the limits of their use.
#[derive(Clone, Debug)]
pub struct BrokerSettings {
    /// The connection.
    pub connection: ConnectionSettings,
    /// Time for the confirms of one batch.
    pub confirm_timeout: Duration,
    /// Exchange and queues, declared on every connection.
    pub topology: Topology,
    /// The queue that this service sends to.
    pub send: WorkQueue,
    /// The queue that this service receives from.
    pub receive: WorkQueue,
    /// Largest number of unacked messages.
    pub prefetch: u16,
    /// Largest number of orders in one message.
    pub orders_per_message: usize,
    /// The broker's management API.
    pub management: Option<ManagementSettings>,
    /// Names of the exchange and of every queue, those of the other service's retry queues included.
    reserved_names: Vec<String>,
}

/// The defaults that differ between the services.
#[derive(Clone, Debug)]
pub struct BrokerRole {
    /// The program's name.
    pub app: &'static str,
    /// Default of the queue that it sends to.
    pub send: &'static str,
    /// Default of the queue that it receives from.
    pub receive: &'static str,
    /// Delays of the retry queues of what it sends, which its receiver declares; may be empty.
    pub send_retry_delays: Vec<Duration>,
    /// Delays of the retry queues of what it receives; may be empty.
    pub retry_delays: Vec<Duration>,
}

impl BrokerSettings {
    /// Reads the settings of the management API, for a program that asks it.
    #[must_use]
    pub fn with_management(self, env: &mut Env) -> BrokerSettings {
        let management = Some(ManagementSettings::read(env, &self.connection.brokers));
        BrokerSettings { management, ..self }
    }

    /// The route to the queue that this service sends to.
    pub fn send_route(&self) -> Route {
        self.route(&self.send)
    }

    /// The queue that this service receives from, to be consumed.
    pub fn subscription(&self) -> WorkSubscription<'_> {
        WorkSubscription { queue: &self.receive, role: "consume", prefetch: self.prefetch }
    }

    /// The route to `queue`, through the exchange.
    pub fn route(&self, queue: &WorkQueue) -> Route {
        Route { exchange: self.topology.exchange.clone(), routing_key: queue.name.clone() }
    }

    /// Names that no other exchange or queue may have.
    pub fn reserved_names(&self) -> &[String] {
        &self.reserved_names
    }

    /// Reads them.
    pub fn read(env: &mut Env, role: BrokerRole) -> BrokerSettings {
        let connection = ConnectionSettings::read(env, role.app);
        let exchange = env.text(&EXCHANGE, "orders_exchange");
        let send = WorkQueue { name: env.text(&SEND, role.send), retry_delays: Vec::new() };
        let receive =
            WorkQueue { name: env.text(&RECEIVE, role.receive), retry_delays: role.retry_delays };
        let sent = WorkQueue { retry_delays: role.send_retry_delays, ..send.clone() };
        refuse_collision(env, &sent, &receive);
        let reserved_names = [vec![exchange.clone()], sent.all(), receive.all()].concat();
        BrokerSettings {
            connection,
            confirm_timeout: env.millis(&CONFIRM_TIMEOUT, 10_000, 100..=600_000),
            topology: Topology {
                exchange,
                work_queues: vec![receive.clone(), send.clone()],
                delivery_limit: env.number(&DELIVERY_LIMIT, 100, 1..=1_000_000),
            },
            send,
            receive,
            prefetch: env.number(&PREFETCH, 500, 1..=u16::MAX),
            orders_per_message: env.number(&ORDERS_PER_MESSAGE, 100, 1..=PACK_MAX),
            management: None,
            reserved_names,
        }
    }
}

/// Refuses names under which a queue of what is sent would also be a queue of what is received: the
/// service would receive its own messages, and dead-letter them.
fn refuse_collision(env: &mut Env, send: &WorkQueue, receive: &WorkQueue) {
    let received = receive.all();
    if let Some(both) = send.all().into_iter().find(|name| received.contains(name)) {
        let (sent, received) = (&send.name, &receive.name);
        env.refuse(format!(
            "{}={sent:?} and {}={received:?}: must be names whose queues, with .dead and .retry, \
             differ; both would use the queue {both:?}",
            SEND.name, RECEIVE.name
        ));
    }
}

/// Reads the keys of the payment requests' signatures; `None` if requests are not signed.
pub fn read_signing_keys(env: &mut Env) -> Option<SigningKeys> {
    let text = env.secret(&SIGNING_KEY, "");
    if text.reveal().is_empty() {
        return None;
    }
    let refuse = |right| env.refuse(format!("{}=(hidden): must be {right}", SIGNING_KEY.name));
    SigningKeys::parse(text.reveal()).map_err(refuse).ok()
}

/// Reads the time after which an overdue order is re-requested.
pub fn read_reconcile_after(env: &mut Env) -> Duration {
    env.millis(&RECONCILE_AFTER, 300_000, 1_000..=86_400_000)
}

/// Reads the delays of the payment requests' retry queues.
pub fn read_retry_delays(env: &mut Env) -> Vec<Duration> {
    let default = delays_of(RETRY_DELAYS_DEFAULT).unwrap_or_default();
    env.parsed(RETRY_DELAYS.with_default(default, RETRY_DELAYS_DEFAULT), |text| {
        delays_of(text).ok_or("1 to 16 times from 1 to 60000, such as 500,60000".into())
    })
}

fn delays_of(text: &str) -> Option<Vec<Duration>> {
    let delays: Option<Vec<u64>> = text.split(',').map(|ms| ms.trim().parse().ok()).collect();
    let delays = delays?;
    let fits = delays.len() <= 16 && delays.iter().all(|ms| (1..=60_000).contains(ms));
    fits.then(|| delays.into_iter().map(Duration::from_millis).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_delay_is_at_most_a_minute() {
        assert_eq!(delays_of("500, 60000").unwrap().len(), 2);
        for wrong in ["", "0", "60001", "soon", "1,,2"] {
            assert_eq!(delays_of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_wrong_url_is_refused_without_being_repeated() {
        let pairs = [("AMQP_SERVER_URL".to_owned(), "hunter2@nowhere".to_owned())];
        let mut env = Env::of(pairs);
        BrokerSettings::read(&mut env, role());
        let message = env.finish().unwrap_err().to_string();
        assert!(message.contains("AMQP_SERVER_URL") && !message.contains("hunter2"), "{message}");
    }

    fn role() -> BrokerRole {
        let delays = vec![Duration::from_millis(500)];
        BrokerRole {
            app: "test",
            send: "a",
            receive: "b",
            send_retry_delays: delays.clone(),
            retry_delays: delays,
        }
    }

    #[test]
    fn queues_that_would_be_one_are_refused_with_both_names() {
        let read = |send: &str, receive: &str| {
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let pairs = [pair("SEND_ROUTING_KEY", send), pair("RECEIVE_ROUTING_KEY", receive)];
            let mut env = Env::of(pairs);
            BrokerSettings::read(&mut env, role());
            env.finish().map_err(|wrong| wrong.to_string())
        };
        for (send, receive) in [
            ("q", "q"),
            ("q", "q.dead"),
            ("q.dead", "q"),
            ("q", "q.retry.500"),
            ("q.retry.500", "q"),
        ] {
            let why = read(send, receive).unwrap_err();
            assert!(
                why.contains("SEND_ROUTING_KEY") && why.contains("RECEIVE_ROUTING_KEY"),
                "{why}"
            );
        }
        for (send, receive) in [("q", "r"), ("q", "q.retry.501"), ("q", "q.deader")] {
            read(send, receive).unwrap();
        }
    }
}
