//! What an auditor reads. Every statement here only reads, finds its rows through a primary key, and
//! reads no more of them than it is told to. Orders and payments may lie in different databases, so
//! each side is read for itself.

mod books;
mod outbox;
mod shop;

use std::time::Duration;

use domain::{OrderId, OrderStatus};
use time::OffsetDateTime;

pub use crate::outbox::{Depth as Outbox, depth as outbox};
pub use books::{captures_after, captures_between, captures_of, payments_between, payments_of};
pub use outbox::outbox_orders;
pub use shop::{Horizon, horizon, late_orders, orders_between, orders_of};

/// Money as it stands in a table: also what nobody could have ordered, should somebody have written
/// it there by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Minor units.
    pub minor: i64,
    /// What should be an ISO 4217 code.
    pub currency: String,
}

/// The orders above `after` up to `up_to`, at most `limit` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Not this one.
    pub after: OrderId,
    /// This one as well.
    pub up_to: OrderId,
    /// Those with the lowest ids.
    pub limit: i64,
}

/// What the shop knows of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Its id.
    pub id: OrderId,
    /// How far it is.
    pub status: OrderStatus,
    /// What it costs.
    pub sum: Sum,
    /// When it was placed.
    pub placed_at: OffsetDateTime,
}

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The gateway may have been asked; what it said is not known.
    Started,
    /// The gateway took the money.
    Captured,
    /// The gateway took nothing, for good.
    Declined,
}

/// What the workers know of an order's payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// The order that it is for.
    pub order_id: OrderId,
    /// How far it is.
    pub status: PaymentStatus,
    /// What was asked for.
    pub sum: Sum,
    /// When it was begun.
    pub started_at: OffsetDateTime,
    /// How long ago it ended, if it has.
    pub ended: Option<Duration>,
}

/// What the gateway took under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureRow {
    /// The key.
    pub key: String,
    /// What the caller said it was for.
    pub order_id: OrderId,
    /// How much.
    pub sum: Sum,
}
