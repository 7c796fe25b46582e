//! What can be done to an order: place it, settle it.

mod place;
mod settle;

pub(crate) use place::{Intake, PlaceError};
pub(crate) use settle::Settlements;
