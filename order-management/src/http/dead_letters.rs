//! Dead letters over HTTP, on the port for operators.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use db::dead_letters::RecordedAction;
use domain::{ActionId, OrderId};
use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::response::Response;
use utoipa::{IntoParams, IntoResponses, ToSchema};

use super::document::documented;
use super::input::{Fields, JsonBody};
use super::page::{LIMIT_DEFAULT, Limit, PageOf};
use super::problem::Problem;
use crate::dead_letters::{Action, ActionView, Filter, Listing, Note, Operator, Replayed};
use crate::dead_letters::{DeadLetterId, DeadLetters, LOOK_MAX, REPLAY_DEFAULT};
use crate::dead_letters::{WholeAction, WholeLetter};

struct Problems;

impl IntoResponses for Problems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        documented(&[
            ("404", "There is no such dead letter or action (any more)."),
            ("409", "Somebody else is at the dead letters; nothing was done."),
            ("422", "Parameters or fields are wrong."),
        ])
    }
}

/// Which dead letters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LettersQuery {
    /// Only those of this queue.
    #[param(example = "processedorders.dead")]
    queue: Option<String>,
    /// Only those with this reason.
    #[param(example = "unknown_order")]
    reason: Option<String>,
    /// Only those about this order.
    order_id: Option<String>,
    /// How many, 1 to 500; 50 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 500, example = 50)]
    limit: Option<String>,
}

/// List dead letters, by queue and then oldest first.
///
/// They stay where they are. Each look counts on every letter that it passes: do not poll this.
#[utoipa::path(
    get, path = "/dead-letters", tag = "dead letters", operation_id = "listDeadLetters",
    params(LettersQuery),
    responses((status = 200, description = "What lies there.", body = Listing), Problems)
)]
pub(crate) async fn list(
    letters: Data<DeadLetters>,
    query: Query<LettersQuery>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let limit = fields.optional("limit", query.limit.as_deref()).unwrap_or(Limit(LIMIT_DEFAULT)).0;
    let order: Option<OrderId> = fields.optional("orderId", query.order_id.as_deref());
    let queue = query.queue.as_deref().map(|name| letters.queue(name));
    let queue = fields.checked("queue", queue);
    let filter = fields.finish(Some(Filter { queue, reason: query.reason.clone(), order }))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(HttpResponse::Ok().json(letters.list(&filter, limit).await?))
}

/// Show one dead letter with its body, its properties, and how its orders are.
#[utoipa::path(
    get, path = "/dead-letters/{id}", tag = "dead letters", operation_id = "showDeadLetter",
    params(("id" = String, Path, description = "The letter's id.", pattern = "^[0-9a-f]{32}$")),
    responses((status = 200, description = "The letter.", body = WholeLetter), Problems)
)]
pub(crate) async fn show(
    letters: Data<DeadLetters>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(letters.show(&letter_id(&id)?).await?))
}

/// Who does it, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ActionBody {
    /// Who. Nobody checks it.
    #[schema(example = "anna", required = true, min_length = 1, max_length = 100)]
    by: Option<String>,
    /// Why; required to discard.
    #[schema(example = "ticket 7: the shop's database was restored", max_length = 1000)]
    note: Option<String>,
}

/// Put one dead letter back into the queue that it came from.
///
/// A fresh copy is published and confirmed; then the letter goes. Its `replays` are one more. If it
/// is still bad it comes back under another id.
#[utoipa::path(
    post, path = "/dead-letters/{id}/replay", tag = "dead letters",
    operation_id = "replayDeadLetter", request_body = ActionBody,
    params(("id" = String, Path, description = "The letter's id.", pattern = "^[0-9a-f]{32}$")),
    responses((status = 200, description = "It was put back.", body = WholeAction), Problems)
)]
pub(crate) async fn replay(
    letters: Data<DeadLetters>,
    id: Path<String>,
    JsonBody(body): JsonBody<ActionBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let by: Option<Operator> = fields.required("by", body.by.as_deref());
    let note: Option<Note> = fields.optional("note", body.note.as_deref());
    let action = fields.finish(by.map(|by| Action::replay(by, note)))?;
    Ok(HttpResponse::Ok().json(letters.act(&letter_id(&id)?, &action).await?))
}

/// Discard one dead letter. It is kept in the record of actions, and nowhere else.
#[utoipa::path(
    post, path = "/dead-letters/{id}/discard", tag = "dead letters",
    operation_id = "discardDeadLetter", request_body = ActionBody,
    params(("id" = String, Path, description = "The letter's id.", pattern = "^[0-9a-f]{32}$")),
    responses((status = 200, description = "It is gone.", body = WholeAction), Problems)
)]
pub(crate) async fn discard(
    letters: Data<DeadLetters>,
    id: Path<String>,
    JsonBody(body): JsonBody<ActionBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let by: Option<Operator> = fields.required("by", body.by.as_deref());
    let note: Option<Note> = fields.required("note", body.note.as_deref());
    let action = fields.finish(by.zip(note).map(|(by, note)| Action::discard(by, note)))?;
    Ok(HttpResponse::Ok().json(letters.act(&letter_id(&id)?, &action).await?))
}

/// Which letters to put back, who does it, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReplayAllBody {
    /// Who. Nobody checks it.
    #[schema(example = "anna", required = true, min_length = 1, max_length = 100)]
    by: Option<String>,
    /// Why.
    #[schema(example = "ticket 7: the shop's database was restored", max_length = 1000)]
    note: Option<String>,
    /// Only those of this queue. This or `reason` must be there.
    #[schema(example = "processedorders.dead")]
    queue: Option<String>,
    /// Only those with this reason.
    #[schema(example = "unknown_order")]
    reason: Option<String>,
    /// How many at most; 10000 if left out.
    #[schema(minimum = 1, maximum = 100_000, example = 10_000)]
    limit: Option<usize>,
}

/// Put all dead letters of a queue or a reason back.
///
/// Those that are there now; what comes back is not put back twice. If it is cut off in the middle,
/// no letter is lost, and calling it again goes on.
#[utoipa::path(
    post, path = "/dead-letters/replay", tag = "dead letters", operation_id = "replayDeadLetters",
    request_body = ReplayAllBody,
    responses((status = 200, description = "They were put back.", body = Replayed), Problems)
)]
pub(crate) async fn replay_all(
    letters: Data<DeadLetters>,
    JsonBody(body): JsonBody<ReplayAllBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let by: Option<Operator> = fields.required("by", body.by.as_deref());
    let note: Option<Note> = fields.optional("note", body.note.as_deref());
    let limit = body.limit.unwrap_or(REPLAY_DEFAULT);
    if !(1..=LOOK_MAX).contains(&limit) {
        fields.wrong("limit", format!("must be a whole number from 1 to {LOOK_MAX}"));
    }
    if body.queue.is_none() && body.reason.is_none() {
        fields.wrong("reason", "is required, or a queue");
    }
    let queue = fields.checked("queue", body.queue.as_deref().map(|name| letters.queue(name)));
    let action = fields.finish(by.map(|by| Action::replay(by, note)))?;
    let filter = Filter { queue, reason: body.reason, order: None };
    Ok(HttpResponse::Ok().json(letters.replay_all(&filter, limit, &action).await?))
}

/// Which actions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActionsQuery {
    /// Only those on this letter.
    letter_id: Option<String>,
    /// How many, 1 to 500; 50 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 500, example = 50)]
    limit: Option<String>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// List what was done, newest first.
#[utoipa::path(
    get, path = "/dead-letters/actions", tag = "dead letters",
    operation_id = "listDeadLetterActions", params(ActionsQuery),
    responses((status = 200, description = "A page of actions.", body = PageOf<ActionView>), Problems)
)]
pub(crate) async fn actions(
    letters: Data<DeadLetters>,
    query: Query<ActionsQuery>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let limit = fields.optional("limit", query.limit.as_deref()).unwrap_or(Limit(LIMIT_DEFAULT)).0;
    let letter: Option<DeadLetterId> = fields.optional("letterId", query.letter_id.as_deref());
    let before = query.cursor.as_deref().map(|cursor| {
        cursor.parse::<ActionId>().map_err(|_| "must be `nextCursor` of the page before")
    });
    let before = fields.checked("cursor", before);
    fields.finish(Some(()))?;
    // One row more tells whether there is a next page.
    let found = letters.actions(before, limit + 1, letter.as_ref()).await?;
    let page = PageOf::<ActionView>::of(found, limit, |done: &RecordedAction| done.id.to_string());
    Ok(HttpResponse::Ok().json(page))
}

/// Show one action with the whole letter that it was done to.
#[utoipa::path(
    get, path = "/dead-letters/actions/{id}", tag = "dead letters",
    operation_id = "showDeadLetterAction",
    params(("id" = String, Path, format = Uuid, description = "The action's id.")),
    responses((status = 200, description = "The action.", body = WholeAction), Problems)
)]
pub(crate) async fn action(
    letters: Data<DeadLetters>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::NotFound(format!("There is no action `{id}`."));
    let id: ActionId = id.parse().map_err(|_| unknown())?;
    let action = letters.action(id).await?.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(action))
}

fn letter_id(text: &str) -> Result<DeadLetterId, Problem> {
    text.parse().map_err(|_| Problem::NotFound(format!("There is no dead letter `{text}`.")))
}
