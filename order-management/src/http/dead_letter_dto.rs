//! Requests about dead letters. The answers are in `dead_letters/dto`, which the command line uses too.

use domain::ActionId;
use serde::Deserialize;
use service::Problem;
use utoipa::{IntoParams, ToSchema};

use super::input::{Fields, given};
use super::page::{read_cursor, read_limit};
use crate::dead_letters::{
    Action, DeadLetterId, DeadLetters, Filter, LOOK_MAX, REPLAY_DEFAULT, ReplayAll,
};

/// A selection of dead letters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LettersQuery {
    /// Only dead letters of this queue.
    #[param(example = "processedorders.dead")]
    queue: Option<String>,
    /// Only dead letters with this reason.
    #[param(example = "unknown_order")]
    reason: Option<String>,
    /// Only dead letters about this order.
    order_id: Option<String>,
    /// Maximum number of dead letters, 1 to 500; 50 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 500, example = 50)]
    limit: Option<String>,
}

impl LettersQuery {
    /// The selection and the maximum number, checked.
    pub(super) fn validate(&self, letters: &DeadLetters) -> Result<(Filter, usize), Problem> {
        let mut fields = Fields::default();
        let limit = read_limit(&mut fields, self.limit.as_deref());
        let order = fields.optional("orderId", self.order_id.as_deref());
        let queue = self.queue.as_deref().map(|name| letters.queue(name));
        let queue = fields.checked("queue", queue);
        let filter = Filter { queue, reason: self.reason.clone(), order };
        fields.finish(Some((filter, usize::try_from(limit).unwrap_or(usize::MAX))))
    }
}

/// The operator of an action, and the reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ActionBody {
    /// The operator's name, which the server does not verify.
    #[schema(
        example = "anna",
        required = true,
        min_length = 1,
        max_length = 100,
        nullable = false
    )]
    #[serde(default, deserialize_with = "given")]
    by: Option<String>,
    /// The reason; required to discard.
    #[schema(
        example = "ticket 7: the shop's database was restored",
        max_length = 1000,
        nullable = false
    )]
    #[serde(default, deserialize_with = "given")]
    note: Option<String>,
}

impl ActionBody {
    /// A replay, checked. `fields` has the invalid fields so far.
    pub(super) fn replay(&self, mut fields: Fields) -> Result<Action, Problem> {
        let by = fields.required("by", self.by.as_deref());
        let note = fields.optional("note", self.note.as_deref());
        fields.finish(by.map(|by| Action::replay(by, note)))
    }

    /// A discard, checked. `fields` has the invalid fields so far.
    pub(super) fn discard(&self, mut fields: Fields) -> Result<Action, Problem> {
        let by = fields.required("by", self.by.as_deref());
        let note = fields.required("note", self.note.as_deref());
        fields.finish(by.zip(note).map(|(by, note)| Action::discard(by, note)))
    }
}

/// A replay of many dead letters.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReplayAllBody {
    /// The operator's name, which the server does not verify.
    #[schema(
        example = "anna",
        required = true,
        min_length = 1,
        max_length = 100,
        nullable = false
    )]
    #[serde(default, deserialize_with = "given")]
    by: Option<String>,
    /// The reason.
    #[schema(
        example = "ticket 7: the shop's database was restored",
        max_length = 1000,
        nullable = false
    )]
    #[serde(default, deserialize_with = "given")]
    note: Option<String>,
    /// Only dead letters of this queue. `queue` or `reason` is required.
    #[schema(example = "processedorders.dead", nullable = false)]
    #[serde(default, deserialize_with = "given")]
    queue: Option<String>,
    /// Only dead letters with this reason.
    #[schema(example = "unknown_order", nullable = false)]
    #[serde(default, deserialize_with = "given")]
    reason: Option<String>,
    /// Maximum number of replays; 10000 if left out.
    #[schema(minimum = 1, maximum = 100_000, example = 10_000, nullable = false)]
    #[serde(default, deserialize_with = "given")]
    limit: Option<usize>,
}

impl ReplayAllBody {
    /// The replay, checked. `fields` has the invalid fields so far.
    pub(super) fn validate(
        self,
        letters: &DeadLetters,
        mut fields: Fields,
    ) -> Result<ReplayAll, Problem> {
        let by = fields.required("by", self.by.as_deref());
        let note = fields.optional("note", self.note.as_deref());
        let limit = self.limit.unwrap_or(REPLAY_DEFAULT);
        if !(1..=LOOK_MAX).contains(&limit) {
            fields.wrong("limit", format!("must be a whole number from 1 to {LOOK_MAX}"));
        }
        if self.queue.is_none() && self.reason.is_none() {
            fields.wrong("reason", "is required, or a queue");
        }
        let queue = fields.checked("queue", self.queue.as_deref().map(|name| letters.queue(name)));
        let action = fields.finish(by.map(|by| Action::replay(by, note)))?;
        Ok(ReplayAll { filter: Filter { queue, reason: self.reason, order: None }, limit, action })
    }
}

/// A page of actions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ActionsQuery {
    /// Only actions on this dead letter.
    letter_id: Option<String>,
    /// Maximum number of actions, 1 to 500; 50 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 500, example = 50)]
    limit: Option<String>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// A page of actions, checked.
pub(super) struct ActionsPage {
    pub(super) letter: Option<DeadLetterId>,
    pub(super) before: Option<ActionId>,
    pub(super) limit: i64,
}

impl ActionsQuery {
    /// The page, checked.
    pub(super) fn validate(&self) -> Result<ActionsPage, Problem> {
        let mut fields = Fields::default();
        let limit = read_limit(&mut fields, self.limit.as_deref());
        let letter = fields.optional("letterId", self.letter_id.as_deref());
        let before = read_cursor(&mut fields, self.cursor.as_deref());
        fields.finish(Some(ActionsPage { letter, before, limit }))
    }
}
