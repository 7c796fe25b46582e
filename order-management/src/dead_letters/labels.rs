//! The operator's name and note.

use std::fmt;
use std::str::FromStr;

macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $max:literal, $refusal:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct $name(String);

        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, &'static str> {
                let text = text.trim();
                let fits = (1..=$max).contains(&text.chars().count());
                if !fits || text.chars().any(|c| c.is_control() && c != '\n') {
                    return Err($refusal);
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

label!(
    /// The person who acts. The name is not verified.
    Operator,
    100,
    "must be 1 to 100 characters: the name of the person who does this"
);
label!(
    /// The reason for an action.
    Note,
    1000,
    "must be 1 to 1000 characters that say why"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_has_a_name() {
        assert_eq!(" anna ".parse::<Operator>().unwrap().to_string(), "anna");
        for wrong in ["", "  ", "a\u{1b}[31m", &"x".repeat(101)] {
            assert!(wrong.parse::<Operator>().is_err(), "{wrong:?} was taken");
        }
    }
}
