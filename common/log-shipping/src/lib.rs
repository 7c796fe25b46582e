//! Log lines over AMQP: a shipper in every program, a reader in the log collector.

mod metrics;
mod pack;
mod reader;
mod route;
mod settings;
mod shipper;

pub use pack::LogPack;
pub use reader::{LogReader, ReaderSettings, subscribe};
pub use route::LogRoute;
pub use settings::ShippingSettings;
pub use shipper::LogShipper;
