//! Dead letters over HTTP, on the ops port.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::ActionId;

use super::answers::replayable;
use super::dead_letter_dto::{ActionBody, ActionsQuery, LettersQuery, ReplayAllBody};
use super::error::{Answer, ApiError};
use super::input::{Fields, JsonBody};
use super::page::PageOf;
use crate::dead_letters::{ActionView, DeadLetterId, DeadLetters, Listing, Replayed};
use crate::dead_letters::{WholeAction, WholeLetter};

/// List dead letters by queue, oldest first.
///
/// Dead letters stay in their queue. Each request raises the delivery count of every dead letter that it
/// passes: do not poll.
#[utoipa::path(
    get, path = "/dead-letters", tag = "dead letters", operation_id = "listDeadLetters",
    params(LettersQuery),
    responses((status = 200, description = "The dead letters.", body = Listing),
              (status = 409, description = "Another session holds the dead-letter lock; nothing was done."))
)]
pub(super) async fn list(letters: Data<DeadLetters>, query: Query<LettersQuery>) -> Answer {
    let (filter, limit) = query.validate(&letters)?;
    Ok(HttpResponse::Ok().json(letters.list(&filter, limit).await?))
}

/// Show one dead letter with its body, its properties, and the states of its orders.
#[utoipa::path(
    get, path = "/dead-letters/{id}", tag = "dead letters", operation_id = "showDeadLetter",
    params(("id" = String, Path, description = "The dead letter's id.", pattern = "^[0-9a-f]{32}$")),
    responses((status = 200, description = "The dead letter.", body = WholeLetter),
              (status = 409, description = "Another session holds the dead-letter lock; nothing was done."))
)]
pub(super) async fn show(letters: Data<DeadLetters>, id: Path<String>) -> Answer {
    Ok(HttpResponse::Ok().json(letters.show(&letter_id(&id)?).await?))
}

/// Replay one dead letter: publish it to its queue again.
///
/// The dead letter is removed once the broker has confirmed a copy, whose `replays` is one higher. A copy
/// that cannot be processed either comes back under another id.
#[utoipa::path(
    post, path = "/dead-letters/{id}/replay", tag = "dead letters",
    operation_id = "replayDeadLetter", request_body = ActionBody,
    params(("id" = String, Path, description = "The dead letter's id.", pattern = "^[0-9a-f]{32}$"),
           ("Idempotency-Key" = Option<String>, Header, max_length = 255, pattern = "^[!-~]{1,255}$",
            description = "The client's name for this request, the same in every repetition.")),
    responses((status = 200, description = "The dead letter was replayed.", body = WholeAction),
              (status = 409, description = "Another session holds the dead-letter lock, or a request with the same \
                                           `Idempotency-Key` has no answer yet; nothing was done."),
              (status = 422, description = "Fields are invalid, or the key was used for another request."))
)]
pub(super) async fn replay(
    letters: Data<DeadLetters>,
    id: Path<String>,
    request: HttpRequest,
    JsonBody(body): JsonBody<ActionBody>,
) -> Answer {
    let mut fields = Fields::default();
    let key = fields.idempotency_key(&request);
    let action = body.replay(fields)?;
    Ok(replayable(&letters.act_once(&letter_id(&id)?, &action, key).await?))
}

/// Discard one dead letter. Only the record of actions keeps it.
#[utoipa::path(
    post, path = "/dead-letters/{id}/discard", tag = "dead letters",
    operation_id = "discardDeadLetter", request_body = ActionBody,
    params(("id" = String, Path, description = "The dead letter's id.", pattern = "^[0-9a-f]{32}$"),
           ("Idempotency-Key" = Option<String>, Header, max_length = 255, pattern = "^[!-~]{1,255}$",
            description = "The client's name for this request, the same in every repetition.")),
    responses((status = 200, description = "The dead letter was discarded.", body = WholeAction),
              (status = 409, description = "Another session holds the dead-letter lock, or a request with the same \
                                           `Idempotency-Key` has no answer yet; nothing was done."),
              (status = 422, description = "Fields are invalid, or the key was used for another request."))
)]
pub(super) async fn discard(
    letters: Data<DeadLetters>,
    id: Path<String>,
    request: HttpRequest,
    JsonBody(body): JsonBody<ActionBody>,
) -> Answer {
    let mut fields = Fields::default();
    let key = fields.idempotency_key(&request);
    let action = body.discard(fields)?;
    Ok(replayable(&letters.act_once(&letter_id(&id)?, &action, key).await?))
}

/// Replay all dead letters of a queue or a reason.
///
/// The request replays each dead letter that is there now, once; a copy that comes back is not replayed a
/// second time. A request that is interrupted loses no dead letter; a repetition continues.
#[utoipa::path(
    post, path = "/dead-letters/replay", tag = "dead letters", operation_id = "replayDeadLetters",
    request_body = ReplayAllBody,
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, pattern = "^[!-~]{1,255}$",
            description = "The client's name for this request, the same in every repetition.")),
    responses((status = 200, description = "The dead letters were replayed.", body = Replayed),
              (status = 409, description = "Another session holds the dead-letter lock, or a request with the same \
                                           `Idempotency-Key` has no answer yet; nothing was done."),
              (status = 422, description = "Fields are invalid, or the key was used for another request."))
)]
pub(super) async fn replay_all(
    letters: Data<DeadLetters>,
    request: HttpRequest,
    JsonBody(body): JsonBody<ReplayAllBody>,
) -> Answer {
    let mut fields = Fields::default();
    let key = fields.idempotency_key(&request);
    let replay = body.validate(&letters, fields)?;
    Ok(replayable(&letters.replay_all_once(&replay, key).await?))
}

/// List actions, newest first.
#[utoipa::path(
    get, path = "/dead-letters/actions", tag = "dead letters",
    operation_id = "listDeadLetterActions", params(ActionsQuery),
    responses((status = 200, description = "A page of actions.", body = PageOf<ActionView>))
)]
pub(super) async fn actions(letters: Data<DeadLetters>, query: Query<ActionsQuery>) -> Answer {
    let page = query.validate()?;
    let found = letters.actions(page.before, page.limit, page.letter.as_ref()).await?;
    Ok(HttpResponse::Ok().json(PageOf::<ActionView>::new(&found)))
}

/// Show one action with its dead letter.
#[utoipa::path(
    get, path = "/dead-letters/actions/{id}", tag = "dead letters",
    operation_id = "showDeadLetterAction",
    params(("id" = String, Path, format = Uuid, description = "The action's id.")),
    responses((status = 200, description = "The action.", body = WholeAction))
)]
pub(super) async fn action(letters: Data<DeadLetters>, id: Path<String>) -> Answer {
    let unknown = || ApiError::no_such("action", &id);
    let id: ActionId = id.parse().map_err(|_| unknown())?;
    let action = letters.action(id).await?.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(action))
}

fn letter_id(text: &str) -> Result<DeadLetterId, ApiError> {
    text.parse().map_err(|_| ApiError::no_such("dead letter", text))
}
