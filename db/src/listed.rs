use tokio_postgres::Row;

use crate::Error;
use crate::unreadable::{Table, readable};

/// A page of a list. It may be shorter than its limit, or even empty, and still have a next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T, I> {
    /// The rows, in the order of the list.
    pub rows: Vec<T>,
    /// The id after which the next page begins; `None` on the last page.
    pub next: Option<I>,
}

/// The readers of a row: the whole row, and its place in the list.
pub(crate) struct Columns<R, I> {
    pub(crate) row: R,
    pub(crate) id: I,
}

impl<T, I> Listed<T, I> {
    /// Makes a page of `limit` rows. One row more in `rows` means that there is another page. A row
    /// that cannot be read is reported and left out.
    pub(crate) fn page(
        table: Table,
        rows: &[Row],
        limit: i64,
        columns: Columns<impl Fn(&Row) -> Result<T, Error>, impl Fn(&Row) -> Result<I, Error>>,
    ) -> Listed<T, I> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let rows = rows.get(..limit).unwrap_or(rows);
        let next = rows.last().filter(|_| more).and_then(|row| (columns.id)(row).ok());
        Listed { rows: readable(table, rows, columns.row), next }
    }
}
