//! What is sold.

use std::str::FromStr;

use time::OffsetDateTime;

use super::{Amount, Currency, Invalid, ProductId, line};

/// A product as stored. An archived one keeps its orders and gets no new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The id.
    pub id: ProductId,
    /// The name.
    pub name: ProductName,
    /// The price of one piece.
    pub price: Amount,
    /// What the price is in.
    pub currency: Currency,
    /// When it was first stored.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
    /// Since when it is archived, if it is.
    pub archived_at: Option<OffsetDateTime>,
}

/// 1 to 200 characters on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductName(String);

impl ProductName {
    /// The text inside.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProductName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        line(text, 200, Invalid("must be 1 to 200 characters on one line")).map(Self)
    }
}
