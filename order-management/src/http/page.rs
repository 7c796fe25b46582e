//! Keyset pages: a cursor is the id of the last row of the page before.

use std::fmt::Display;
use std::str::FromStr;

use db::Listed;
use serde::{Deserialize, Serialize};
use service::Problem;
use utoipa::{IntoParams, ToSchema};

use super::input::Fields;

/// Default size of a page.
const LIMIT_DEFAULT: i64 = 50;
/// Largest page.
const LIMIT_MAX: i64 = 500;

/// A page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Maximum number of rows, 1 to 500; 50 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 500, example = 50)]
    pub(super) limit: Option<String>,
    /// `nextCursor` of the page before.
    #[param(pattern = "^[1-9][0-9]{0,17}$")]
    pub(super) cursor: Option<String>,
}

impl PageQuery {
    /// The id that the page begins after, and the maximum number of rows.
    pub(super) fn page<T: FromStr<Err: Display>>(&self) -> Result<(Option<T>, i64), Problem> {
        let mut fields = Fields::default();
        let limit = read_limit(&mut fields, self.limit.as_deref());
        let after = fields.optional("cursor", self.cursor.as_deref());
        fields.finish(Some((after, limit)))
    }
}

/// A page of rows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageOf<T> {
    /// The rows. A page may have fewer rows than `limit`, or none, and still have a next page.
    pub(super) data: Vec<T>,
    /// The cursor of the next page; null on the last one.
    pub(super) next_cursor: Option<String>,
}

/// Reads the query parameter `limit`.
pub(super) fn read_limit(fields: &mut Fields, text: Option<&str>) -> i64 {
    let limit = text.map(|text| {
        let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.ok_or_else(|| format!("must be a whole number from 1 to {LIMIT_MAX}"))
    });
    fields.checked("limit", limit).unwrap_or(LIMIT_DEFAULT)
}

/// Reads the query parameter `cursor`, which is opaque to clients.
pub(super) fn read_cursor<T: FromStr>(fields: &mut Fields, text: Option<&str>) -> Option<T> {
    let wrong = "must be `nextCursor` of the page before";
    fields.checked("cursor", text.map(|text| text.parse().map_err(|_| wrong)))
}

impl<T> PageOf<T> {
    /// Makes the page of what was listed.
    pub(super) fn new<R, I: Display>(listed: &Listed<R, I>) -> PageOf<T>
    where
        T: for<'a> From<&'a R>,
    {
        let next_cursor = listed.next.as_ref().map(I::to_string);
        PageOf { data: listed.rows.iter().map(T::from).collect(), next_cursor }
    }
}
