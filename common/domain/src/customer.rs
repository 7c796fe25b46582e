//! Customers.

use std::str::FromStr;

use time::OffsetDateTime;

use super::invalid::one_line;
use super::{CustomerId, Invalid};

/// A customer as stored. An archived customer keeps its orders and gets no new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The id.
    pub id: CustomerId,
    /// The name.
    pub name: CustomerName,
    /// The e-mail address.
    pub email: Email,
    /// Time at which the customer was stored.
    pub created_at: OffsetDateTime,
    /// Time of the last change.
    pub updated_at: OffsetDateTime,
    /// Time at which the customer was archived; `None` if the customer is not archived.
    pub archived_at: Option<OffsetDateTime>,
}

/// A customer to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCustomer {
    /// The name.
    pub name: CustomerName,
    /// The e-mail address.
    pub email: Email,
}

/// A change of a customer; `None` leaves a value as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerChange {
    /// The new name.
    pub name: Option<CustomerName>,
    /// The new e-mail address.
    pub email: Option<Email>,
}

impl CustomerChange {
    /// Returns `true` if the customer has these values already.
    pub fn is_nothing_for(&self, customer: &Customer) -> bool {
        self.name.as_ref().is_none_or(|name| *name == customer.name)
            && self.email.as_ref().is_none_or(|email| *email == customer.email)
    }
}

/// A customer's name: 1 to 200 characters on one line, without spaces around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerName(String);

/// An e-mail address: one `@` with text on both sides, no spaces, at most
/// [`Email::MAX_LEN`] characters. The mailbox need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl CustomerName {
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

impl FromStr for CustomerName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        one_line(text, Self::MAX_LEN, Invalid("must be 1 to 200 characters on one line")).map(Self)
    }
}

impl Email {
    /// The largest length, in characters (RFC 5321 §4.5.3.1.3).
    pub const MAX_LEN: usize = 254;

    /// The address of a stored row, unchanged and unchecked: a row that was written by SQL is shown
    /// as it is. Only for showing.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text of the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refusal = Invalid("must be an e-mail address such as \"mail@naboo.com\"");
        let address = one_line(text, Self::MAX_LEN, refusal)?;
        match text.split_once('@') {
            Some((local, domain))
                if !local.is_empty()
                    && !domain.is_empty()
                    && !domain.contains('@')
                    && !text.contains(char::is_whitespace) =>
            {
                Ok(Self(address))
            }
            _ => Err(refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_both_sides_of_one_at_sign() {
        assert!("mail@naboo.com".parse::<Email>().is_ok());
        for wrong in ["", "mail", "@naboo.com", "mail@", "a@b@c", "a b@c", "a@b\0", " a@b"] {
            assert!(wrong.parse::<Email>().is_err(), "{wrong:?} was accepted");
        }
    }
}
