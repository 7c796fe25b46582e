//! RabbitMQ: connections, topology, publisher, consumer and dead letters. This crate carries
//! messages and does not interpret them. Publishing and consuming have separate connections, so that
//! a blocked publisher never delays an ack.

mod acks;
mod confirms;
mod connection;
mod consume_session;
mod consumer;
mod consumer_task;
pub mod crash_points;
mod dead_letter;
mod dead_letters;
mod delivery;
mod error;
mod forward;
mod forwarding;
mod headers;
mod metrics;
mod outgoing;
mod pace;
mod properties_json;
mod publish_metrics;
mod publisher;
mod publisher_connection;
mod queue_inspector;
mod settings;
mod status;
pub mod supervisor;
mod topology;
mod url;

pub use confirms::NotConfirmed;
pub use connection::{CLOSE_TIMEOUT, close, within};
pub use consumer::{Consumer, Consumers, add_consumers};
pub use consumer_task::Subscription;
pub use dead_letter::{DeadLetter, DeadLetterId};
pub use dead_letters::DeadLetters;
pub use delivery::envelope;
pub use delivery::{DeliveryHandler, Disposition, Handled, IncomingMessage, MessageHandler};
pub use error::BrokerError;
pub use forward::{Destination, Forward, PartProperties};
pub use forwarding::{Forwarded, ForwardingHandler, ProcessParts, Processed};
pub use headers::integer;
pub use metrics::ConnectionMetrics;
pub use outgoing::{Outgoing, Route};
pub use publisher::Publisher;
pub use queue_inspector::QueueInspector;
pub use settings::{BrokerRole, BrokerSettings, ConnectionSettings, read_retry_delays};
pub use status::Status;
pub use topology::{Declare, Topology, WorkQueue, WorkSubscription};
pub use url::AmqpUrl;
