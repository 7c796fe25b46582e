//! What can be done to an order: place it, settle it, notice
//! that it is late.

mod backlog;
mod place;
mod settle;
mod survey;

pub(crate) use backlog::show_backlog;
pub(crate) use place::{Intake, PlaceError};
pub(crate) use settle::Settlements;
pub(crate) use survey::survey;
