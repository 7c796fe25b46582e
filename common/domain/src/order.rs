//! What was ordered, and how far it is.

use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;

use super::{Amount, Currency, CustomerId, Invalid, OrderId, PaymentMethod, ProductId, Reason};

/// An order as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The id.
    pub id: OrderId,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// What was ordered.
    pub product_id: ProductId,
    /// How many.
    pub quantity: Quantity,
    /// Price × quantity, with the price of the moment it was placed.
    pub total: Amount,
    /// What the total is in.
    pub currency: Currency,
    /// What it is paid with; without one the gateway takes its default.
    pub payment_method: Option<PaymentMethod>,
    /// How far it is.
    pub status: OrderStatus,
    /// Why it was canceled, if it was and the gateway said why.
    pub cancel_reason: Option<Reason>,
    /// When it was committed.
    pub created_at: OffsetDateTime,
    /// When its status last moved.
    pub updated_at: OffsetDateTime,
}

/// What a client wants ordered; the price is not theirs to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Who orders.
    pub customer_id: CustomerId,
    /// What.
    pub product_id: ProductId,
    /// How many.
    pub quantity: Quantity,
    /// What it is paid with.
    pub payment_method: Option<PaymentMethod>,
}

/// `Pending → Confirmed` or `Pending → Canceled`, once (P5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// Committed, not yet paid.
    Pending,
    /// The money was captured.
    Confirmed,
    /// The money was declined.
    Canceled,
}

impl OrderStatus {
    /// Every status, in the order they are reached.
    pub const ALL: [OrderStatus; 3] =
        [OrderStatus::Pending, OrderStatus::Confirmed, OrderStatus::Canceled];

    /// As it is spoken and stored.
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

/// How many pieces: 1 to [`Quantity::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i32);

impl Quantity {
    /// The most pieces in one order.
    pub const MAX: i32 = 10_000;
    const REFUSAL: Invalid = Invalid("must be a whole number from 1 to 10000");

    /// Wraps a count.
    pub fn new(count: i32) -> Result<Quantity, Invalid> {
        if (1..=Self::MAX).contains(&count) { Ok(Quantity(count)) } else { Err(Self::REFUSAL) }
    }

    /// The count.
    pub fn get(self) -> i32 {
        self.0
    }
}

impl FromStr for Quantity {
    type Err = Invalid;

    /// Reads a JSON number by its value, exactly: `2`, `2.0` and `0.2e1` are two.
    fn from_str(text: &str) -> Result<Quantity, Invalid> {
        let hundredths = text.parse::<Amount>().map_err(|_| Self::REFUSAL)?.minor();
        let whole = if hundredths % 100 == 0 { hundredths / 100 } else { 0 };
        i32::try_from(whole).map_err(|_| Self::REFUSAL).and_then(Quantity::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_read_by_its_value_and_never_rounded() {
        for (text, count) in [("1", 1), ("1.0", 1), ("1e4", 10_000), ("0.2e1", 2)] {
            assert_eq!(text.parse::<Quantity>().map(Quantity::get), Ok(count), "{text}");
        }
        for text in ["0", "-1", "1.5", "1.001", "10001", "1e400", "\"1\"", "true", "[1]", ""] {
            assert!(text.parse::<Quantity>().is_err(), "{text:?} was taken");
        }
    }
}
