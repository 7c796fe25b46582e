use deadpool_postgres::PoolError;
use tokio_postgres::error::{DbError, SqlState};

/// The reason why a statement has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The database is unreachable, restarting or overloaded, or cancelled the statement because of
    /// a deadlock. The statement may have been committed or not; the same statement again may
    /// succeed.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The database rejects the statement, and will reject the same statement again. Nothing was
    /// committed.
    #[error("the database refused the statement: {0}")]
    Refused(String),
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Error {
        let text = describe(&error);
        let Some(refusal) = error.as_db_error() else { return Error::Unavailable(text) };
        if is_transient(refusal.code()) { Error::Unavailable(text) } else { Error::Refused(text) }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Error {
        match error {
            PoolError::Backend(error) => error.into(),
            other @ (PoolError::Timeout(_)
            | PoolError::Closed
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_)) => Error::Unavailable(other.to_string()),
        }
    }
}

/// Returns `true` if the same statement may succeed later, by SQLSTATE
/// (<https://www.postgresql.org/docs/17/errcodes-appendix.html>).
fn is_transient(code: &SqlState) -> bool {
    const CLASSES: [&str; 6] = ["08", "40", "53", "55", "57", "58"];
    /// A standby (25006), a plan made before a migration (0A000), a password being rotated
    /// (28P01, 28000), a database, schema or table that does not exist yet (3D000, 3F000, 42P01).
    const CODES: [&str; 7] = ["25006", "0A000", "28P01", "28000", "3D000", "3F000", "42P01"];
    let code = code.code();
    CLASSES.iter().any(|class| code.starts_with(class)) || CODES.contains(&code)
}

/// The text of an error and of its causes. tokio-postgres itself reports only "db error" or "error
/// connecting"; of the server's answer this is the message with its SQLSTATE.
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    if let Some(refusal) = refusal(error) {
        return format!("{} ({})", refusal.message(), refusal.code().code());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// The server's answer among the causes of `error`.
pub(crate) fn refusal<'a>(mut error: &'a (dyn std::error::Error + 'static)) -> Option<&'a DbError> {
    loop {
        if let Some(refusal) = error.downcast_ref::<DbError>() {
            return Some(refusal);
        }
        error = error.source()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_transient_and_a_violated_constraint_is_not() {
        for code in ["57P01", "08006", "40P01", "53300", "25006", "42P01"] {
            assert!(is_transient(&SqlState::from_code(code)), "{code}");
        }
        for code in ["23505", "22021", "42703"] {
            assert!(!is_transient(&SqlState::from_code(code)), "{code}");
        }
    }
}
