//! The way to RabbitMQ and back. It carries messages and does not understand them: one
//! supervised connection for publishing and one for consuming, so that a blocked publisher
//! never holds up an ack.

mod acks;
mod connection;
mod consumer;
mod dead_letter;
mod dead_letters;
mod departure;
mod desk;
mod fault;
mod link;
mod lookout;
mod outgoing;
mod properties_json;
mod publisher;
mod publishing;
mod readiness;
mod session;
mod settings;
mod status;
mod topology;

pub use consumer::Consumer;
pub use dead_letter::{DeadLetter, LetterId};
pub use dead_letters::DeadLetters;
pub use departure::{Departure, Destination};
pub use desk::{Handler, Outcome, Received, envelope};
pub use fault::Fault;
pub use lookout::Lookout;
pub use outgoing::Outgoing;
pub use publisher::{NotConfirmed, Publisher};
pub use readiness::readiness;
pub use settings::{AmqpUrl, BrokerRole, BrokerSettings, read_retry_delays};
pub use status::Status;
pub use topology::{Topology, WorkQueue};
