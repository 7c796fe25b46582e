//! The only panic of the test kit. Tests call the kit's methods as sentences, without an `unwrap`
//! in each line; a failure inside a method ends the test here, with every cause.

use std::fmt::Debug;

/// Ends the test at a failure.
pub trait OrFail<T> {
    /// Returns the value, or panics with `doing` and every cause of the failure.
    fn or_fail(self, doing: &str) -> T;
}

impl<T, E: Debug> OrFail<T> for Result<T, E> {
    #[track_caller]
    fn or_fail(self, doing: &str) -> T {
        match self {
            Ok(value) => value,
            Err(error) => panic!("{doing}: {error:?}"),
        }
    }
}

impl<T> OrFail<T> for Option<T> {
    #[track_caller]
    fn or_fail(self, doing: &str) -> T {
        match self {
            Some(value) => value,
            None => panic!("{doing}: there is none"),
        }
    }
}
