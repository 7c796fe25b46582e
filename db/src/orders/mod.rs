//! Orders: placed and settled in batches, read one by one or by the page.

mod columns;
mod overdue;
mod place;
mod read;
mod rerequest;
mod settle;

pub use overdue::{Forgotten, forget_ended, scan_overdue};
pub use place::{PlaceOrder, PlaceOutcome, Placements, Refusal, place};
pub use read::{Page, get, list};
pub use rerequest::{Rerequested, RetryPolicy, due, rerequest};
pub use settle::{SettleOrder, SettleOutcome, settle};
