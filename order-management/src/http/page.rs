//! Keyset pages: a cursor names the last row of the page before.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::input::Fields;
use super::problem::Problem;

/// The default size of a page.
pub(crate) const LIMIT_DEFAULT: i64 = 50;
/// The largest page.
pub(crate) const LIMIT_MAX: i64 = 500;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many rows, 1 to 500; 50 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 500, example = 50)]
    pub(crate) limit: Option<String>,
    /// `nextCursor` of the page before.
    #[param(pattern = "^[1-9][0-9]{0,17}$")]
    pub(crate) cursor: Option<String>,
}

impl PageQuery {
    /// After which id, and how many rows.
    pub(crate) fn page<T: FromStr<Err: Display>>(&self) -> Result<(Option<T>, i64), Problem> {
        let mut fields = Fields::default();
        let limit = fields.optional("limit", self.limit.as_deref());
        let Limit(limit) = limit.unwrap_or(Limit(LIMIT_DEFAULT));
        let after = fields.optional("cursor", self.cursor.as_deref());
        fields.finish(Some((after, limit)))
    }
}

/// A page of rows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageOf<T> {
    /// The rows.
    pub(crate) data: Vec<T>,
    /// The cursor of the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// A limit of a page, as text in a query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub(crate) i64);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Limit, String> {
        let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.map(Limit).ok_or_else(|| format!("must be a whole number from 1 to {LIMIT_MAX}"))
    }
}

impl<T> PageOf<T> {
    /// From one row more than was asked for, if there are that many: its being there says that
    /// there is another page.
    pub(crate) fn of<R>(mut rows: Vec<R>, limit: i64, cursor: impl Fn(&R) -> String) -> PageOf<T>
    where
        T: for<'a> From<&'a R>,
    {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(cursor);
        PageOf { data: rows.iter().map(T::from).collect(), next_cursor }
    }
}
