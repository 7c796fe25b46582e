use std::time::Duration;

use domain::{OrderId, OrderStatus};
use time::OffsetDateTime;

/// Money as stored, without a check: a row that was written by hand may have a value that is no
/// amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Minor units.
    pub minor: i64,
    /// The stored currency, normally an ISO 4217 code.
    pub currency: String,
}

/// A range of order ids, above `after` up to and including `up_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Lower bound, excluded.
    pub after: OrderId,
    /// Upper bound, included.
    pub up_to: OrderId,
    /// Maximum number of rows; those with the lowest ids are read.
    pub limit: i64,
}

/// A range of gateway keys, above `after` up to and including `up_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRange<'a> {
    /// Lower bound, excluded.
    pub after: &'a str,
    /// Upper bound, included.
    pub up_to: &'a str,
    /// Maximum number of rows; those with the lowest keys are read.
    pub limit: i64,
}

/// An order in the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// The id.
    pub id: OrderId,
    /// The status.
    pub status: OrderStatus,
    /// The total.
    pub sum: Sum,
    /// Time of the commit that placed the order.
    pub placed_at: OffsetDateTime,
}

/// Status of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// No verdict: the gateway may have been asked.
    Started,
    /// The gateway captured the money.
    Captured,
    /// The gateway declined the charge for good.
    Declined,
}

/// The payment of an order, as the workers recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// The order.
    pub order_id: OrderId,
    /// The status.
    pub status: PaymentStatus,
    /// The requested sum.
    pub sum: Sum,
    /// Time of the start.
    pub started_at: OffsetDateTime,
    /// Time since the verdict was recorded; `None` without a verdict.
    pub ended: Option<Duration>,
}

/// A capture in the gateway's ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureRow {
    /// The key of the capture.
    pub key: String,
    /// The order that the caller named.
    pub order_id: OrderId,
    /// The captured sum.
    pub sum: Sum,
}
