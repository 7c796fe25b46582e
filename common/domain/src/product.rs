//! Products.

use std::str::FromStr;

use time::OffsetDateTime;

use super::invalid::one_line;
use super::{Amount, Currency, Invalid, ProductId};

/// A product as stored. An archived product keeps its orders and gets no new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The id.
    pub id: ProductId,
    /// The name.
    pub name: ProductName,
    /// The price of one piece.
    pub price: Amount,
    /// The currency of the price.
    pub currency: Currency,
    /// Time at which the product was stored.
    pub created_at: OffsetDateTime,
    /// Time of the last change.
    pub updated_at: OffsetDateTime,
    /// Time at which the product was archived; `None` if the product is not archived.
    pub archived_at: Option<OffsetDateTime>,
}

/// A product to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProduct {
    /// The name.
    pub name: ProductName,
    /// The price of one piece.
    pub price: Amount,
    /// The currency of the price.
    pub currency: Currency,
}

/// A change of a product; `None` leaves a value as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductChange {
    /// The new name.
    pub name: Option<ProductName>,
    /// The new price of one piece.
    pub price: Option<Amount>,
}

impl ProductChange {
    /// Returns `true` if the product has these values already.
    pub fn is_nothing_for(&self, product: &Product) -> bool {
        self.name.as_ref().is_none_or(|name| *name == product.name)
            && self.price.is_none_or(|price| price == product.price)
    }
}

/// A product's name: 1 to 200 characters on one line, without spaces around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductName(String);

impl ProductName {
    /// The largest length, in characters.
    pub const MAX_LEN: usize = 200;

    /// The name of a stored row, unchanged and unchecked: a row that was written by SQL is shown
    /// as it is. Only for showing.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProductName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        one_line(text, Self::MAX_LEN, Invalid("must be 1 to 200 characters on one line")).map(Self)
    }
}
