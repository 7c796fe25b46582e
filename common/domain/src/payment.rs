//! Payment methods, verdicts and workers.

use std::fmt;
use std::str::FromStr;

use super::Invalid;

/// A gateway's name for the account or card to charge: 1 to [`PaymentMethod::MAX_LEN`] letters,
/// digits, `_` or `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PaymentMethod(String);

impl PaymentMethod {
    /// The largest length, in characters.
    pub const MAX_LEN: usize = 64;

    /// The payment method of a stored row, unchanged and unchecked: a row that was written by SQL is shown
    /// as it is. Only for showing.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PaymentMethod {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=Self::MAX_LEN).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid("must be 1 to 64 letters, digits, \"_\" or \"-\", such as \"pm_card_visa\""))
    }
}

/// Reason of a declined charge, a short code such as `insufficient_funds`. At most
/// [`Reason::MAX_LEN`] characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reason(String);

impl Reason {
    /// The largest length, in characters.
    pub const MAX_LEN: usize = 200;

    /// Makes a reason of any text: leaves out control characters and cuts the rest to
    /// [`Reason::MAX_LEN`].
    pub fn from_text(text: &str) -> Reason {
        Reason(text.chars().filter(|c| !c.is_control()).take(Self::MAX_LEN).collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The gateway's final answer about one order. A missing answer is not a verdict (P3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The money was captured; the order becomes `Confirmed`.
    Captured,
    /// No money moved, for the given reason; the order becomes `Canceled`.
    Declined(Option<Reason>),
}

/// The calls to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayCall {
    /// Capture money under a key.
    Charge,
    /// Return the verdict of a key; moves no money.
    LookUp,
}

impl GatewayCall {
    /// The spelling in bodies and in the database.
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

/// Name of a worker, for operators: 1 to [`WorkerName::MAX_LEN`] printable characters of ASCII
/// without spaces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkerName(String);

impl WorkerName {
    /// The largest length, in characters.
    pub const MAX_LEN: usize = 64;

    /// Makes the name of a process: host name, `/`, process id. Characters of the host name that a
    /// worker name cannot have are left out, and a long host name is cut.
    pub fn of_process(host: &str, pid: u32) -> WorkerName {
        let pid = format!("/{pid}");
        let room = Self::MAX_LEN - pid.len();
        let host: String = host.chars().filter(char::is_ascii_graphic).take(room).collect();
        WorkerName(if host.is_empty() { format!("localhost{pid}") } else { host + &pid })
    }

    /// The text.
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
    fn a_process_has_a_valid_name_for_any_host_name() {
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
