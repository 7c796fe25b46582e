//! Who did it and why, as people say it.

use std::fmt;
use std::str::FromStr;

macro_rules! words {
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

words!(
    /// Who does it. Nobody checks it: there are no accounts.
    Operator,
    100,
    "must be 1 to 100 characters, the name of whoever does this"
);
words!(
    /// Why.
    Note,
    1000,
    "must be 1 to 1000 characters that say why"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_nobody() {
        assert_eq!(" anna ".parse::<Operator>().unwrap().to_string(), "anna");
        for wrong in ["", "  ", "a\u{1b}[31m", &"x".repeat(101)] {
            assert!(wrong.parse::<Operator>().is_err(), "{wrong:?} was taken");
        }
    }
}
