//! Errors of the database as problems. Their texts stay in the log.

use service::problem::UNAVAILABLE;
use service::{Problem, request_id};

/// Logs the cause, and returns the problem without it.
pub(crate) fn from_database(error: db::Error) -> Problem {
    let request_id = request_id();
    match error {
        db::Error::Unavailable(cause) => {
            log::warn!(request_id:%; "answered 503: {cause}");
            Problem::new(
                &UNAVAILABLE,
                "Ask again after the time in Retry-After, or ask for less with `since`.",
            )
        }
        db::Error::Refused(cause) => {
            log::error!(request_id:%; "answered 500: {cause}");
            Problem::internal()
        }
    }
}
