//! Log lines of all processes, in a table for each day.

mod days;
mod entry;
mod insert;
mod query;

pub use days::{Days, days, keep};
pub use entry::{Entry, Level};
pub use insert::insert;
pub use query::{Position, Query, read};
