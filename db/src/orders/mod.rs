//! Orders: placed and settled in batches, read one by one or by the page.

mod place;
mod read;
mod settle;

pub use place::{Placed, Placing, Refusal, place};
pub use read::{Page, get, list};
pub use settle::{Settled, Settling, settle};
