//! Identifiers. Each has a type of its own, so that one cannot be passed for another.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use super::Invalid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $refusal:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes a new id: a UUIDv7 (RFC 9562 §5.7). Ids made by one process sort by the time
            /// of their making, and neighbours in time are neighbours in an index.
            #[expect(clippy::new_without_default, reason = "two calls never give the same value")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Uuid::try_parse(text).map(Self).map_err(|_| Invalid($refusal))
            }
        }
    };
}

macro_rules! numeric_id {
    ($(#[$doc:meta])* $name:ident, $refusal:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// The largest id: eighteen digits, a bound that a JSON schema's pattern can express.
            pub const MAX: i64 = 999_999_999_999_999_999;

            /// Wraps a number.
            ///
            /// # Errors
            /// If the number is not between 1 and [`Self::MAX`].
            pub fn new(number: i64) -> Result<Self, Invalid> {
                if (1..=Self::MAX).contains(&number) { Ok(Self(number)) } else { Err(Invalid($refusal)) }
            }

            /// The id as a number.
            pub fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            /// Reads digits only: no sign, no space, no leading zero, so that one id has one
            /// spelling.
            fn from_str(text: &str) -> Result<Self, Invalid> {
                if !text.bytes().all(|b| b.is_ascii_digit()) || text.starts_with('0') {
                    return Err(Invalid($refusal));
                }
                text.parse().map_err(|_| Invalid($refusal)).and_then(Self::new)
            }
        }
    };
}

macro_rules! token {
    ($(#[$doc:meta])* $name:ident, $max:literal, $refusal:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The largest length, in characters.
            pub const MAX_LEN: usize = $max;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let fits = (1..=Self::MAX_LEN).contains(&text.len());
                if !fits || !text.bytes().all(|b| b.is_ascii_graphic()) {
                    return Err(Invalid($refusal));
                }
                Ok(Self(text.into()))
            }
        }
    };
}

uuid_id!(
    /// Id of an order, and the key under which the gateway charges the order.
    OrderId,
    "must be the id of an order: a UUID such as \"0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5\""
);
uuid_id!(
    /// Id of a payment.
    PaymentId,
    "must be the id of a payment: a UUID"
);
uuid_id!(
    /// Id of an operator's action on a dead letter.
    ActionId,
    "must be the id of an action: a UUID"
);
numeric_id!(
    /// Id of a customer: a number from 1 to [`CustomerId::MAX`].
    CustomerId,
    "must be the id of a customer: a string of digits such as \"1\""
);
numeric_id!(
    /// Id of a product: a number from 1 to [`ProductId::MAX`].
    ProductId,
    "must be the id of a product: a string of digits such as \"1\""
);
token!(
    /// Id of an HTTP request, present in every answer, log line and message that the request
    /// causes: 1 to 128 visible ASCII characters.
    RequestId,
    128,
    "must be 1 to 128 visible ASCII characters without spaces"
);
token!(
    /// A client's name for one request to place an order: 1 to 255 visible ASCII characters.
    /// Repeats of the request have the same key (P7).
    IdempotencyKey,
    255,
    "must be 1 to 255 visible ASCII characters without spaces"
);

impl RequestId {
    /// Makes an id for a request that came without a usable one.
    pub fn made_here() -> Self {
        let mut digits = Uuid::encode_buffer();
        let id: &str = Uuid::now_v7().hyphenated().encode_lower(&mut digits);
        Self(id.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_id_has_exactly_one_spelling() {
        assert_eq!("42".parse::<CustomerId>().unwrap().get(), 42);
        assert_eq!("9".repeat(18).parse::<CustomerId>().unwrap().get(), CustomerId::MAX);
        for wrong in ["", "0", "-1", "+1", " 1", "01", "1.0", "x", "1000000000000000000"] {
            assert!(wrong.parse::<CustomerId>().is_err(), "{wrong:?} was accepted");
        }
    }

    #[test]
    fn order_ids_made_one_after_the_other_sort_in_that_order() {
        let ids: Vec<OrderId> = (0..1000).map(|_| OrderId::new()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn a_key_with_a_space_a_control_character_or_too_many_characters_is_refused() {
        assert!("k-1".parse::<IdempotencyKey>().is_ok());
        for wrong in ["", "a b", "a\n", "a\0", "ü", &"x".repeat(256)] {
            assert!(wrong.parse::<IdempotencyKey>().is_err(), "{wrong:?} was accepted");
        }
    }
}
