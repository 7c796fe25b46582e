use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// Why a statement has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The database is away, restarting, overloaded or chose this statement as a deadlock's
    /// victim: whether it was carried out is unknown, and the same again may succeed.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database will not do this, however often it is asked. Nothing was done.
    #[error("the database refused: {0}")]
    Refused(String),
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Error {
        let Some(refusal) = error.as_db_error() else {
            return Error::Unavailable(whole_story(&error));
        };
        let text = format!("{} ({})", refusal.message(), refusal.code().code());
        if passes(refusal.code()) { Error::Unavailable(text) } else { Error::Refused(text) }
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

/// Whether the same statement may succeed later, by class of SQLSTATE
/// (<https://www.postgresql.org/docs/17/errcodes-appendix.html>).
fn passes(code: &SqlState) -> bool {
    const LATER: [&str; 6] = ["08", "40", "53", "55", "57", "58"];
    /// A standby (25006), a plan made before a migration (0A000), a password being rotated
    /// (28P01, 28000), a database, schema or table that is not there yet (3D000, 3F000, 42P01).
    const ALSO: [&str; 7] = ["25006", "0A000", "28P01", "28000", "3D000", "3F000", "42P01"];
    let code = code.code();
    LATER.iter().any(|class| code.starts_with(class)) || ALSO.contains(&code)
}

/// tokio-postgres says only "db error" or "error connecting" by itself; the cause says why.
fn whole_story(error: &tokio_postgres::Error) -> String {
    let mut story = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        story = format!("{story}: {inner}");
        cause = inner.source();
    }
    story
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_passes_and_a_violated_constraint_does_not() {
        for code in ["57P01", "08006", "40P01", "53300", "25006", "42P01"] {
            assert!(passes(&SqlState::from_code(code)), "{code}");
        }
        for code in ["23505", "22021", "42703"] {
            assert!(!passes(&SqlState::from_code(code)), "{code}");
        }
    }
}
