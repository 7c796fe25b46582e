//! A whole Ordermill for one test: a database, a virtual host, and real processes on them.
//!
//! The methods of [`World`] are the sentences of a test. A method that can't do its work panics,
//! through [`crate::fail`].

mod audit;
mod builder;
mod core;
mod http;
mod launch;
mod links;
mod orders;
mod queues;
mod sql;

pub use audit::Audited;
pub use builder::WorldBuilder;
pub use core::World;
pub use http::Reply;
pub use links::{Link, Links};
pub use orders::{Order, order_body};
