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

/// What is asked of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayCall {
    /// Move the money, under a key.
    Charge,
    /// Say what became of a key.
    LookUp,
}

impl GatewayCall {
    /// As it is spoken and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            GatewayCall::Charge => "charge",
            GatewayCall::LookUp => "look_up",
        }
    }
}

impl FromStr for GatewayCall {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let all = [GatewayCall::Charge, GatewayCall::LookUp];
        let refusal = Invalid("must be one of \"charge\", \"look_up\"");
        all.into_iter().find(|call| call.as_str() == text).ok_or(refusal)
    }
}

/// What an operator finds a worker by: 1 to 64 printable characters of ASCII without spaces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkerName(String);

impl WorkerName {
    /// The longest name.
    pub const MAX_LEN: usize = 64;

    /// The name of one process among all: its host's name, as far as it can be kept, and its
    /// number there.
    pub fn of_process(host: &str, pid: u32) -> WorkerName {
        let pid = format!("/{pid}");
        let room = Self::MAX_LEN - pid.len();
        let host: String = host.chars().filter(char::is_ascii_graphic).take(room).collect();
        WorkerName(if host.is_empty() { format!("localhost{pid}") } else { host + &pid })
    }

    /// The text inside.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WorkerName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if (1..=Self::MAX_LEN).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(WorkerName(text.to_owned()));
        }
        Err(Invalid("must be 1 to 64 printable characters of ASCII without spaces"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_name_whatever_its_host_is_called() {
        assert_eq!(WorkerName::of_process("mill-7", 41).as_str(), "mill-7/41");
        assert_eq!(WorkerName::of_process(" \n", 41).as_str(), "localhost/41");
        let long = WorkerName::of_process(&"h".repeat(300), u32::MAX);
        assert_eq!(long.as_str().len(), WorkerName::MAX_LEN);
        assert!(long.as_str().ends_with("h/4294967295"));
        assert_eq!(long.as_str().parse(), Ok(long.clone()));
        for wrong in ["", "two words", "tab\t", "ä", &"x".repeat(65)] {
            assert!(wrong.parse::<WorkerName>().is_err(), "{wrong}");
        }
    }
}
