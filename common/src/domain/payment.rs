//! How an order is paid, and what the gateway said.

use std::fmt;
use std::str::FromStr;

use super::Invalid;

/// What a gateway charges, by its own name for it: 1 to 64 letters, digits, `_` or `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PaymentMethod(String);

impl PaymentMethod {
    /// The text inside.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PaymentMethod {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid("must be 1 to 64 letters, digits, \"_\" or \"-\", such as \"pm_card_visa\""))
    }
}

/// Why a payment was declined, as a short code such as `insufficient_funds`. Anything a
/// worker sends is cut to [`Reason::MAX_LEN`] characters and stripped of control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reason(String);

impl Reason {
    /// The longest reason kept, in characters.
    pub const MAX_LEN: usize = 200;

    /// Keeps what can be kept of `text`.
    pub fn from_text(text: &str) -> Reason {
        Reason(text.chars().filter(|c| !c.is_control()).take(Self::MAX_LEN).collect())
    }

    /// The text inside.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The gateway's final word on one order. An answer that is missing is no verdict (P3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The money was captured: the order is to be confirmed.
    Captured,
    /// No money moved: the order is to be canceled.
    Declined(Option<Reason>),
}
