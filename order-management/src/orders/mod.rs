//! The use cases of orders: place, settle, find the overdue ones, show the timeline.

mod backlog;
mod overdue;
mod place;
mod settle;
mod timeline;

pub(crate) use backlog::show_backlog;
pub(crate) use overdue::scan_overdue;
pub(crate) use place::{Intake, PlaceError};
pub(crate) use settle::{Settlements, outcome};
pub(crate) use timeline::{By, Event, Part, Timeline, Timelines, WaitsFor, What, open_payments};
