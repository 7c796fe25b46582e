//! The auditor's reads. No statement here writes. Each finds its rows through a primary key and
//! reads at most as many as its caller asks for. Orders and payments may be in different databases,
//! so each side is read by itself.

mod ledger;
mod outbox;
mod rows;
mod shop;

pub use crate::outbox::{Depth as Outbox, depth as outbox};
pub use ledger::{captures_after, captures_between, captures_of, payments_between, payments_of};
pub use outbox::outbox_orders;
pub use rows::{CaptureRow, KeyRange, OrderRow, PaymentRow, PaymentStatus, Range, Sum};
pub use shop::{Horizon, horizon, orders_between, orders_of, overdue_orders};
