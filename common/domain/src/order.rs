//! Orders and their status.

use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;

use super::{
    Amount, Currency, CustomerId, Invalid, OrderId, PaymentMethod, ProductId, Quantity, Reason,
};

/// An order as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The id.
    pub id: OrderId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The ordered product.
    pub product_id: ProductId,
    /// Number of pieces.
    pub quantity: Quantity,
    /// Price × quantity, with the price at the time the order was placed.
    pub total: Amount,
    /// Currency of the total.
    pub currency: Currency,
    /// Payment method to charge; `None` leaves the choice to the gateway.
    pub payment_method: Option<PaymentMethod>,
    /// The status.
    pub status: OrderStatus,
    /// Reason of the cancellation; `None` if the order is not canceled, or the gateway gave no
    /// reason.
    pub cancel_reason: Option<Reason>,
    /// Time of the commit that placed the order.
    pub created_at: OffsetDateTime,
    /// Time at which the status last moved.
    pub updated_at: OffsetDateTime,
}

/// An order as a client asks for it. Price and currency are the product's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The customer.
    pub customer_id: CustomerId,
    /// The product to order.
    pub product_id: ProductId,
    /// Number of pieces.
    pub quantity: Quantity,
    /// Payment method to charge; `None` leaves the choice to the gateway.
    pub payment_method: Option<PaymentMethod>,
    /// The total that the client saw; `None` accepts any total.
    pub expected_total: Option<Amount>,
}

/// Status of an order: `Pending → Confirmed` or `Pending → Canceled`, once (P5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// Committed, without a verdict.
    Pending,
    /// The money was captured.
    Confirmed,
    /// The charge was declined.
    Canceled,
}

impl OrderStatus {
    /// Every status, in the order they are reached.
    pub const ALL: [OrderStatus; 3] =
        [OrderStatus::Pending, OrderStatus::Confirmed, OrderStatus::Canceled];

    /// The spelling in bodies, logs and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            OrderStatus::Pending => "Pending",
            OrderStatus::Confirmed => "Confirmed",
            OrderStatus::Canceled => "Canceled",
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OrderStatus {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refusal = Invalid("must be one of \"Pending\", \"Confirmed\", \"Canceled\"");
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or(refusal)
    }
}
