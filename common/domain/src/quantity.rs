use std::str::FromStr;

use super::Invalid;
use super::decimal::parse_hundredths;

/// Number of pieces in an order: 1 to [`Quantity::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i32);

impl Quantity {
    /// Largest number of pieces in one order.
    pub const MAX: i32 = 10_000;
    const REFUSAL: Invalid = Invalid("must be a whole number from 1 to 10000");

    /// Wraps a number of pieces.
    ///
    /// # Errors
    /// If the number is not between 1 and [`Quantity::MAX`].
    pub fn new(count: i32) -> Result<Quantity, Invalid> {
        if (1..=Self::MAX).contains(&count) { Ok(Quantity(count)) } else { Err(Self::REFUSAL) }
    }

    /// The number of pieces.
    pub fn get(self) -> i32 {
        self.0
    }
}

impl FromStr for Quantity {
    type Err = Invalid;

    /// Reads a JSON number by its value, exactly: `2`, `2.0` and `0.2e1` are two.
    fn from_str(text: &str) -> Result<Quantity, Invalid> {
        let hundredths = parse_hundredths(text).ok_or(Self::REFUSAL)?;
        let whole = if hundredths % 100 == 0 { hundredths / 100 } else { 0 };
        i32::try_from(whole).map_err(|_| Self::REFUSAL).and_then(Quantity::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_read_by_its_value_and_never_rounded() {
        for (text, count) in [("1", 1), ("1.0", 1), ("1e4", 10_000), ("0.2e1", 2)] {
            assert_eq!(text.parse::<Quantity>().map(Quantity::get), Ok(count), "{text}");
        }
        for text in ["0", "-1", "1.5", "1.001", "10001", "1e400", "\"1\"", "true", "[1]", ""] {
            assert!(text.parse::<Quantity>().is_err(), "{text:?} was accepted");
        }
    }
}
