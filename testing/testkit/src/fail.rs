//! The one place where the test kit panics. Tests call its methods as sentences, without an
//! `unwrap` in each line; whatever goes wrong in between ends the test here, with its whole story.

use std::fmt::Debug;

/// Ends the test when something that had to work did not.
pub trait OrFail<T> {
    /// The value, or a panic that says what was being done and every cause of the failure.
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
