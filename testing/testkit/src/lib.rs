//! The environment of the services for tests and for the local stack: PostgreSQL and RabbitMQ of
//! their own, the real binaries, and faults. Every process that is started here ends with the
//! process that started it, even if that process is killed ([`watchdog`]).

pub mod balancer;
pub mod binaries;
pub mod cluster;
pub mod collector;
pub mod drawing;
pub mod epmd;
pub mod eventually;
pub mod fail;
pub mod fault_proxy;
mod http_client;
pub mod installed;
pub mod isolation;
pub mod local;
pub mod log_file;
pub mod monitoring;
pub mod number;
pub mod ports;
pub mod postgres;
pub mod process_table;
pub mod processes;
pub mod queue_names;
pub mod rabbitmq;
pub mod scratch_dir;
pub mod server_user;
pub mod servers;
pub mod service_environment;
pub mod watchdog;
pub mod world;

pub use eventually::eventually;
pub use fail::OrFail;
pub use world::World;
