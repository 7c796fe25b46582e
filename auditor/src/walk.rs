use std::time::Instant;

use domain::OrderId;
use uuid::Uuid;

/// Lower bound of all order ids.
pub(crate) const FIRST: OrderId = OrderId(Uuid::nil());
/// Upper bound of all order ids.
pub(crate) const LAST: OrderId = OrderId(Uuid::max());

/// Position of the slow walk over everything: all orders and payments first, then the gateway's
/// ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// The next walk begins at this time.
    Waits(Instant),
    /// In the orders and payments, after this id.
    Orders(OrderId),
    /// In the gateway's ledger, after this key.
    Ledger(String),
}
