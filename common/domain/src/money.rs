//! Money: counted in minor units, written as decimals, never a float.

use std::fmt;
use std::str::FromStr;

use super::decimal::parse_hundredths;
use super::{Invalid, Quantity};

/// Minor units in one major unit, for every [`Currency`] known here.
const MINOR_PER_MAJOR: i64 = 100;

/// Money in minor units (cents for USD): never negative, at most [`Amount::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

/// The error of a total above [`Amount::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the total would be more than {}", Amount::MAX)]
pub struct AmountTooLarge;

const REFUSAL: Invalid =
    Invalid("must be a decimal number from 0 to 100000000 with at most 2 decimals, such as 199.9");

impl Amount {
    /// The largest amount, one hundred million in major units: far above any order, far below
    /// overflow.
    pub const MAX: Amount = Amount(10_000_000_000);

    /// Makes an amount of `minor` minor units.
    ///
    /// # Errors
    /// If `minor` is negative or above [`Amount::MAX`].
    pub fn from_minor(minor: i64) -> Result<Amount, Invalid> {
        if (0..=Self::MAX.0).contains(&minor) { Ok(Amount(minor)) } else { Err(REFUSAL) }
    }

    /// The amount in minor units.
    pub fn minor(self) -> i64 {
        self.0
    }

    /// Price × quantity, exactly.
    ///
    /// # Errors
    /// If the total is above [`Amount::MAX`].
    pub fn times(self, quantity: Quantity) -> Result<Amount, AmountTooLarge> {
        let total = self.0.checked_mul(i64::from(quantity.get())).ok_or(AmountTooLarge)?;
        Amount::from_minor(total).map_err(|_| AmountTooLarge)
    }
}

impl fmt::Display for Amount {
    /// Writes major units with as many decimals as are needed: `199`, `199.9`, `0.01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = (self.0 / MINOR_PER_MAJOR, self.0 % MINOR_PER_MAJOR);
        match minor {
            0 => write!(f, "{major}"),
            m if m % 10 == 0 => write!(f, "{major}.{}", m / 10),
            m => write!(f, "{major}.{m:02}"),
        }
    }
}

impl FromStr for Amount {
    type Err = Invalid;

    /// Reads major units, written as a JSON number (RFC 8259 §6, exponent included), and never
    /// rounds: `199`, `199.90` and `1.99e2` are accepted, `0.001` is refused.
    fn from_str(text: &str) -> Result<Amount, Invalid> {
        // A hundredth is a minor unit of every currency here.
        parse_hundredths(text).ok_or(REFUSAL).and_then(Amount::from_minor)
    }
}

/// An ISO 4217 currency. Only currencies with two decimals are supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Currency {
    /// US dollar.
    Usd,
    /// Euro.
    Eur,
    /// Pound sterling.
    Gbp,
}

impl Currency {
    /// The ISO 4217 code, three capital letters.
    pub fn code(self) -> &'static str {
        match self {
            Currency::Usd => "USD",
            Currency::Eur => "EUR",
            Currency::Gbp => "GBP",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Currency, Invalid> {
        match text {
            "USD" => Ok(Currency::Usd),
            "EUR" => Ok(Currency::Eur),
            "GBP" => Ok(Currency::Gbp),
            _ => Err(Invalid("must be one of \"USD\", \"EUR\", \"GBP\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_read_exactly_or_refused() {
        for (text, minor) in [
            ("199", 19900),
            ("199.9", 19990),
            ("199.90000", 19990),
            ("0.01", 1),
            ("0", 0),
            ("0.000", 0),
            ("1.99e2", 19900),
            ("19900e-2", 19900),
            ("100000000", 10_000_000_000),
        ] {
            assert_eq!(text.parse::<Amount>().map(Amount::minor), Ok(minor), "{text}");
        }
        for text in ["", "-1", "0.001", "1e-3", "1e99", "100000000.01", "NaN", "1,5", ".5", "1.5.2"]
        {
            assert!(text.parse::<Amount>().is_err(), "{text:?} was accepted");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_same_amount(minor in 0..=Amount::MAX.0) {
            let amount = Amount::from_minor(minor).unwrap();
            prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            prop_assert!(text.parse::<Amount>().map_or(true, |amount| amount <= Amount::MAX));
        }

        #[test]
        fn a_total_is_the_exact_product_or_refused(minor in 0..=Amount::MAX.0, n in 1..=Quantity::MAX) {
            let total = Amount::from_minor(minor).unwrap().times(Quantity::new(n).unwrap());
            let exact = i128::from(minor) * i128::from(n);
            match total {
                Ok(total) => prop_assert_eq!(i128::from(total.minor()), exact),
                Err(AmountTooLarge) => prop_assert!(exact > i128::from(Amount::MAX.0)),
            }
        }
    }
}
