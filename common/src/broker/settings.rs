use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use lapin::uri::{AMQPScheme, AMQPUri};

use super::log_route::LogRoute;
use super::topology::{Topology, WorkQueue};
use crate::message::PACK_MAX;
use crate::runtime::{Env, Setting};

/// Seconds between heartbeats unless the URL says otherwise. lapin looks every half of one whether the
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
const LOG_BUFFER: Setting = Setting {
    name: "LOG_SHIP_BUFFER",
    unit: "lines",
    help: "How many log lines may wait to be shipped, 16 MiB at most; what does not fit is dropped \
           and counted.",
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
    pub(super) fn uri(&self) -> AMQPUri {
        self.0.clone()
    }

    /// The same broker with frames as large as it allows, for whoever has to read a message whose
    /// properties did not fit into ours.
    pub(super) fn with_the_largest_frames(&self) -> AmqpUrl {
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

/// How to reach the broker and what has to stand there.
#[derive(Clone, Debug)]
pub struct BrokerSettings {
    /// Where it is.
    pub url: AmqpUrl,
    /// How long one attempt to connect and declare may take.
    pub connect_timeout: Duration,
    /// How long confirms of one batch may take.
    pub confirm_timeout: Duration,
    /// Exchange and queues, declared at every connection.
    pub topology: Topology,
    /// What this service sends to.
    pub send: WorkQueue,
    /// What this service receives from.
    pub receive: WorkQueue,
    /// How many received messages are in hand at the same time.
    pub prefetch: u16,
    /// How many orders travel in one message at most.
    pub orders_per_message: usize,
    /// The program's name, shown in the broker's list of connections.
    pub app: &'static str,
    /// Where log lines are shipped to, and how many may wait for it.
    pub(super) logs: (LogRoute, usize),
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
    /// Reads them.
    pub fn read(env: &mut Env, role: BrokerRole) -> BrokerSettings {
        let url = read_url(env);
        let exchange = env.text(&EXCHANGE, "orders_exchange");
        let send = WorkQueue { name: env.text(&SEND, role.send), retry_delays: Vec::new() };
        let receive =
            WorkQueue { name: env.text(&RECEIVE, role.receive), retry_delays: role.retry_delays };
        let connect_timeout = read_connect_timeout(env);
        let log_exchange = LogRoute::read_exchange(env, "");
        let mut names_of_orders = [send.all(), receive.all()].concat();
        names_of_orders.push(exchange.clone());
        if names_of_orders.contains(&log_exchange) {
            env.refuse(format!(
                "LOG_EXCHANGE={log_exchange}: must be a name of its own: as a queue of log lines \
                 it would be in the way of the orders"
            ));
        }
        let logs =
            LogRoute { url: url.clone(), connect_timeout, exchange: log_exchange, app: role.app };
        BrokerSettings {
            url,
            connect_timeout,
            confirm_timeout: env.millis(&CONFIRM_TIMEOUT, 10_000, 100..=600_000),
            topology: Topology {
                exchange,
                queues: vec![receive.clone(), send.clone()],
                delivery_limit: env.number(&DELIVERY_LIMIT, 100, 1..=1_000_000),
            },
            send,
            receive,
            prefetch: env.number(&PREFETCH, 500, 1..=u16::MAX),
            orders_per_message: env.number(&ORDERS_PER_MESSAGE, 100, 1..=PACK_MAX),
            app: role.app,
            logs: (logs, env.number(&LOG_BUFFER, 10_000, 1..=1_000_000)),
        }
    }
}

/// A URL that cannot be read is noted in `env` without being repeated: it may hold a password.
pub(super) fn read_url(env: &mut Env) -> AmqpUrl {
    let development = "amqp://guest:guest@localhost:5672/%2f";
    let text = env.secret(&URL, development);
    text.reveal().parse().unwrap_or_else(|right| {
        env.refuse(format!("{}=(hidden): must be {right}", URL.name));
        AmqpUrl(AMQPUri::default())
    })
}

pub(super) fn read_connect_timeout(env: &mut Env) -> Duration {
    env.millis(&CONNECT_TIMEOUT, 10_000, 100..=120_000)
}

/// Reads the delay ladder of the payment requests.
pub fn read_retry_delays(env: &mut Env) -> Vec<Duration> {
    let default = ladder_of(RETRY_DELAYS_DEFAULT).unwrap_or_default();
    env.parsed(&RETRY_DELAYS, (default, RETRY_DELAYS_DEFAULT), |text| {
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
    fn log_lines_get_no_name_that_the_orders_have() {
        let read = |logs: &str| {
            let mut env = Env::of([("LOG_EXCHANGE".to_owned(), logs.to_owned())]);
            let minute = vec![Duration::from_secs(60)];
            let role = BrokerRole { app: "test", send: "a", receive: "b", retry_delays: minute };
            BrokerSettings::read(&mut env, role);
            env.finish()
        };
        for taken in ["a", "b.dead", "b.retry.60000", "orders_exchange"] {
            assert!(read(taken).is_err(), "{taken}");
        }
        for free in ["", "logs"] {
            assert!(read(free).is_ok(), "{free}");
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
