//! Orders: placed and settled in batches, read one by one or by the page.

mod ask_again;
mod late;
mod place;
mod read;
mod settle;

pub use ask_again::{AskedAgain, Patience, ask_again};
pub use late::{Forgotten, forget_ended, survey};
pub use place::{Placed, Placements, Placing, Refusal, place};
pub use read::{Page, get, list};
pub use settle::{Settled, Settling, settle};
