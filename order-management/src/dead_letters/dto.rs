//! Dead letters and actions as HTTP and the command line show them.

mod action;
mod dead_letter;
mod fields;

pub(crate) use action::{ActionView, WholeAction};
pub(crate) use dead_letter::{LetterView, Listing, Replayed, WholeLetter};
pub(super) use fields::ORDERS_SHOWN;
