//! Who buys.

use std::str::FromStr;

use time::OffsetDateTime;

use super::{CustomerId, Invalid, line};

/// A customer as stored. An archived one keeps its orders and gets no new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The id.
    pub id: CustomerId,
    /// The name.
    pub name: CustomerName,
    /// Where mail reaches them.
    pub email: Email,
    /// When it was first stored.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
    /// Since when it is archived, if it is.
    pub archived_at: Option<OffsetDateTime>,
}

/// 1 to 200 characters on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerName(String);

/// An address with one `@`, something on both sides of it and no spaces: at most 254 characters
/// (RFC 5321 §4.5.3.1.3). Whether mail arrives there, only mail can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl CustomerName {
    /// The text inside.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CustomerName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        line(text, 200, Invalid("must be 1 to 200 characters on one line")).map(Self)
    }
}

impl Email {
    /// The text inside.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refusal = Invalid("must be an e-mail address such as \"mail@naboo.com\"");
        let line = line(text, 254, refusal)?;
        match text.split_once('@') {
            Some((local, domain))
                if !local.is_empty()
                    && !domain.is_empty()
                    && !domain.contains('@')
                    && !text.contains(char::is_whitespace) =>
            {
                Ok(Self(line))
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
            assert!(wrong.parse::<Email>().is_err(), "{wrong:?} was taken");
        }
    }
}
