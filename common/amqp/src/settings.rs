use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use lapin::uri::{AMQPScheme, AMQPUri};
use messages::PACK_MAX;
use service::{Env, Setting};

use crate::outgoing::Route;
use crate::topology::{Topology, WorkQueue};

/// Seconds between heartbeats unless the URL says otherwise. lapin inspections every half of one whether the
/// last sign of life is older than two: a peer that went silent is noticed within 10 seconds.
const HEARTBEAT_SECONDS: u16 = 4;
/// The largest frame, unless the URL says otherwise. lapin keeps room for 64 of them for each
/// connection, and RabbitMQ's own proposal of 128 KiB would make that 8 MiB. A message's properties
/// must fit in one frame; bodies are split.
const FRAME_MAX_BYTES: u32 = 64 * 1024;

const URL: Setting = Setting {
    name: "AMQP_SERVER_URL",
    unit: "amqp:// or amqps:// URL",
    help: "The broker, with user, password and virtual host (%2f is the default one).",
};
const CONNECT_TIMEOUT: Setting = Setting {
    name: "AMQP_CONNECT_TIMEOUT_MS",
    unit: "milliseconds",
    help: "How long one attempt to connect and declare the queues may take.",
};
const CONFIRM_TIMEOUT: Setting = Setting {
    name: "CONFIRM_TIMEOUT_MS",
    unit: "milliseconds",
    help: "How long the broker may take to confirm a batch before the connection is given up.",
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
    help: "How often a message may come back from readers that died before the broker parks it. \
           The same for all processes; changing it needs new queues.",
};
const PREFETCH: Setting = Setting {
    name: "PREFETCH",
    unit: "messages",
    help: "How many received messages one process has in hand at the same time; a worker also has \
           no more orders than this in work.",
};
const RETRY_DELAYS: Setting = Setting {
    name: "RETRY_DELAYS_MS",
    unit: "milliseconds, separated by commas",
    help: "How long a charge without a verdict waits before the gateway is asked again; the last \
           delay repeats. The same for all processes.",
};
const RETRY_DELAYS_DEFAULT: &str = "500,2000,10000,30000,60000";
const ORDERS_PER_MESSAGE: Setting = Setting {
    name: "ORDERS_PER_MESSAGE",
    unit: "orders",
    help: "How many orders may travel in one message this service sends under load.",
};

/// Where the broker is. The password is in neither Debug nor Display.
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl(AMQPUri);

impl FromStr for AmqpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<AmqpUrl, String> {
        let mut uri = AMQPUri::from_str(text)
            .map_err(|_| "a URL such as amqp://user:password@localhost:5672/%2f".to_owned())?;
        // Without TLS compiled in, the client would talk in clear to whoever listens there.
        if uri.scheme == AMQPScheme::AMQPS && !cfg!(feature = "tls") {
            return Err(
                "an amqp:// URL: this program was built without its feature `tls`".to_owned()
            );
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        uri.query.frame_max.get_or_insert(FRAME_MAX_BYTES);
        Ok(AmqpUrl(uri))
    }
}

impl AmqpUrl {
    pub(crate) fn uri(&self) -> AMQPUri {
        self.0.clone()
    }

    /// The same broker with frames as large as it allows, for whoever has to read a message whose
    /// properties did not fit into ours.
    pub(crate) fn with_the_largest_frames(&self) -> AmqpUrl {
        let mut uri = self.uri();
        uri.query.frame_max = Some(0);
        AmqpUrl(uri)
    }
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.0;
        let vhost = vhost.replace('/', "%2f");
        write!(f, "{scheme}://{}:{}/{vhost}", authority.host, authority.port)
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the broker is, and who connects.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// The broker's URL.
    pub url: AmqpUrl,
    /// Time for one attempt to connect and declare.
    pub connect_timeout: Duration,
    /// The program's name, shown in the broker's list of connections.
    pub app: &'static str,
}

impl ConnectionSettings {
    /// Reads them.
    pub fn read(env: &mut Env, app: &'static str) -> ConnectionSettings {
        let connect_timeout = env.millis(&CONNECT_TIMEOUT, 10_000, 100..=120_000);
        ConnectionSettings { url: read_url(env), connect_timeout, app }
    }

    /// The same broker with frames as large as it allows, for a reader of messages whose properties
    /// do not fit into ours.
    #[must_use]
    pub fn with_the_largest_frames(&self) -> ConnectionSettings {
        ConnectionSettings { url: self.url.with_the_largest_frames(), ..self.clone() }
    }
}

/// The broker, its exchange and queues, and the limits of their use.
#[derive(Clone, Debug)]
pub struct BrokerSettings {
    /// Where the broker is.
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
}

/// What distinguishes one service's settings from another's.
#[derive(Clone, Debug)]
pub struct BrokerRole {
    /// The program's name.
    pub app: &'static str,
    /// The default for what it sends to.
    pub send: &'static str,
    /// The default for what it receives from.
    pub receive: &'static str,
    /// The delay ladder of what it receives; may be empty.
    pub retry_delays: Vec<Duration>,
}

impl BrokerSettings {
    /// The route to the queue that this service sends to.
    pub fn send_route(&self) -> Route {
        self.route(&self.send)
    }

    /// The route to `queue`, through the exchange.
    pub fn route(&self, queue: &WorkQueue) -> Route {
        Route { exchange: self.topology.exchange.clone(), routing_key: queue.name.clone() }
    }

    /// Names that no other exchange or queue may have.
    pub fn reserved_names(&self) -> Vec<String> {
        let queues = self.topology.work_queues.iter().flat_map(WorkQueue::all);
        queues.chain([self.topology.exchange.clone()]).collect()
    }

    /// Reads them.
    pub fn read(env: &mut Env, role: BrokerRole) -> BrokerSettings {
        let connection = ConnectionSettings::read(env, role.app);
        let exchange = env.text(&EXCHANGE, "orders_exchange");
        let send = WorkQueue { name: env.text(&SEND, role.send), retry_delays: Vec::new() };
        let receive =
            WorkQueue { name: env.text(&RECEIVE, role.receive), retry_delays: role.retry_delays };
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
        }
    }
}

/// A URL that cannot be read is noted in `env` without being repeated: it may hold a password.
fn read_url(env: &mut Env) -> AmqpUrl {
    let development = "amqp://guest:guest@localhost:5672/%2f";
    let text = env.secret(&URL, development);
    text.reveal().parse().unwrap_or_else(|right| {
        env.refuse(format!("{}=(hidden): must be {right}", URL.name));
        AmqpUrl(AMQPUri::default())
    })
}

/// Reads the delay ladder of the payment requests.
pub fn read_retry_delays(env: &mut Env) -> Vec<Duration> {
    let default = ladder_of(RETRY_DELAYS_DEFAULT).unwrap_or_default();
    env.parsed(RETRY_DELAYS.with_default(default, RETRY_DELAYS_DEFAULT), |text| {
        ladder_of(text).ok_or("1 to 16 times from 1 to 60000, such as 500,60000".into())
    })
}

fn ladder_of(text: &str) -> Option<Vec<Duration>> {
    let delays: Option<Vec<u64>> = text.split(',').map(|ms| ms.trim().parse().ok()).collect();
    let delays = delays?;
    let fits = delays.len() <= 16 && delays.iter().all(|ms| (1..=60_000).contains(ms));
    fits.then(|| delays.into_iter().map(Duration::from_millis).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_is_capped_at_a_minute() {
        assert_eq!(ladder_of("500, 60000").unwrap().len(), 2);
        for wrong in ["", "0", "60001", "soon", "1,,2"] {
            assert_eq!(ladder_of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_url_never_shows_its_password() {
        let url: AmqpUrl = "amqp://user:hunter2@host:1234/shop".parse().unwrap();
        assert_eq!(format!("{url} {url:?}"), "amqp://host:1234/shop amqp://host:1234/shop");
    }

    #[test]
    #[cfg(not(feature = "tls"))]
    fn an_encrypted_connection_is_not_silently_made_in_clear() {
        assert!("amqps://user:hunter2@host/%2f".parse::<AmqpUrl>().is_err());
    }

    #[test]
    fn a_wrong_url_is_refused_without_being_repeated() {
        let pairs = [("AMQP_SERVER_URL".to_owned(), "hunter2@nowhere".to_owned())];
        let mut env = Env::of(pairs);
        let role = BrokerRole { app: "test", send: "a", receive: "b", retry_delays: vec![] };
        BrokerSettings::read(&mut env, role);
        let message = env.finish().unwrap_err().to_string();
        assert!(message.contains("AMQP_SERVER_URL") && !message.contains("hunter2"), "{message}");
    }
}
