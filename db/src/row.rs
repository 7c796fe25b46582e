use std::str::FromStr;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::Error;

/// Reads one column of a row.
pub(crate) fn column<'a, T: FromSql<'a>>(row: &'a Row, name: &str) -> Result<T, Error> {
    row.try_get(name).map_err(|e| Error::Refused(format!("column {name}: {e}")))
}

/// Reads a text column as a type of ours.
pub(crate) fn parsed<T: FromStr>(row: &Row, name: &str) -> Result<T, Error>
where
    T::Err: std::fmt::Display,
{
    let text: &str = column(row, name)?;
    text.parse().map_err(|e| Error::Refused(format!("column {name}: {e}")))
}

/// Reads a text column that may be null as a type of ours.
pub(crate) fn parsed_option<T: FromStr>(row: &Row, name: &str) -> Result<Option<T>, Error>
where
    T::Err: std::fmt::Display,
{
    let text: Option<&str> = column(row, name)?;
    text.map(str::parse).transpose().map_err(|e| Error::Refused(format!("column {name}: {e}")))
}

/// Makes a type of ours from a number that was read.
pub(crate) fn checked<T, N, E: std::fmt::Display>(
    number: N,
    wrap: impl FnOnce(N) -> Result<T, E>,
) -> Result<T, Error> {
    wrap(number).map_err(|e| Error::Refused(e.to_string()))
}
