//! The tables, the migrations, and every SQL statement.
//!
//! A statement is a constant right above its only function, and runs in one implicit transaction:
//! one round trip, one commit. Statements accept slices; one row is a slice of one. A function may
//! be repeated after [`Error::Unavailable`], unless its documentation says otherwise.

pub mod activity;
pub mod audit;
pub mod customers;
pub mod dead_letters;
mod error;
pub mod gateway_ledger;
pub mod idempotency;
mod listed;
pub mod logs;
mod migrate;
pub mod orders;
pub mod outbox;
pub mod payments;
mod pool;
mod pool_metrics;
pub mod presence;
pub mod products;
mod reads;
mod row;
mod settings;
pub mod timeline;
mod unreadable;
mod until_stored;

pub use error::Error;
pub use listed::Listed;
pub use migrate::{Migrations, migrate, migrate_when_there};
pub use pool::Db;
pub use reads::Reads;
pub use settings::Settings;
pub use until_stored::until_stored;
