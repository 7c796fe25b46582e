//! The history of one order, as far as the tables have it. Orders and payments may be in different
//! databases, so each side is read by itself. A time is by the clock of the database it was read
//! from.

mod payments;
mod scheduled;
mod shop;

pub use payments::{Attempt, Payment, UnansweredCall, payments};
pub use scheduled::scheduled;
pub use shop::{DeadLetterAction, InOutbox, Rerequested, Shop, shop};
