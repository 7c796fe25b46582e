//! Orders over HTTP.

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use db::orders::PlaceOrder;
use db::{Reads, orders};
use domain::{IdempotencyKey, OrderId};
use service::crash_point::reach_at_once;
use service::{CrashPoint, request_id, traceparent};

use super::error::{Answer, ApiError};
use super::input::{Fields, JsonBody};
use super::order_dto::{OrderBody, OrderQuery, OrderView};
use super::page::PageOf;
use crate::crash_points;
use crate::orders::Intake;

/// Header of an answer that repeats the first answer of its key.
const REPLAYED: &str = "Idempotency-Replayed";

/// Place an order.
///
/// A `201` means that the order is committed and will reach `Confirmed` or `Canceled`. The same
/// `Idempotency-Key` with the same body returns the first answer again and places no second order.
#[utoipa::path(
    post, path = "/orders", tag = "orders", operation_id = "placeOrder", request_body = OrderBody,
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255,
            pattern = "^[!-~]{1,255}$",
            description = "The client's name for this order, the same in every repetition."),
           ("X-Request-ID" = Option<String>, Header, description = "The client's name for this request.")),
    responses(
        (status = 201, description = "The order was placed.", body = OrderView, headers(
            ("Location" = String, description = "The path of the order."),
            ("Idempotency-Replayed" = String, description = "`true` if this answer was given before."))),
        (status = 409, description = "A request with the same `Idempotency-Key` has no answer yet; see `Retry-After`."),
        (status = 422, description = "Fields are invalid, the product or the customer is unknown or \
                                      archived, or the key was used for another order."))
)]
pub(super) async fn place(
    intake: Data<Intake>,
    request: HttpRequest,
    JsonBody(body): JsonBody<OrderBody>,
) -> Answer {
    let mut fields = Fields::default();
    let key = idempotency_key(&request, &mut fields);
    let order = body.validate(&mut fields);
    let order = fields.finish(order)?;
    let (request_id, traceparent) = (request_id(), traceparent());
    let command = PlaceOrder { id: OrderId::new(), order, key, request_id, traceparent };
    let placement = intake.place(command).await?;
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, format!("/orders/{}", placement.order.id)));
    if placement.replayed {
        answer.insert_header((REPLAYED, "true"));
    }
    reach_after_the_answer(crash_points::PLACE_ANSWERED);
    Ok(answer.json(OrderView::from(&placement.order)))
}

/// Reaches a crash point. actix-web writes an answer in the step in which the handler ends; a task that
/// the handler spawns on this thread runs after that step.
fn reach_after_the_answer(point: CrashPoint) {
    if cfg!(debug_assertions) {
        actix_web::rt::spawn(async move { reach_at_once(point) });
    }
}

fn idempotency_key(request: &HttpRequest, fields: &mut Fields) -> Option<IdempotencyKey> {
    let mut values = request.headers().get_all("Idempotency-Key");
    let value = values.next()?;
    if values.next().is_some() {
        fields.wrong("Idempotency-Key", "must be given only once");
    }
    fields.optional("Idempotency-Key", Some(value.to_str().unwrap_or_default()))
}

/// Read an order.
#[utoipa::path(
    get, path = "/orders/{id}", tag = "orders", operation_id = "getOrder",
    params(("id" = String, Path, format = Uuid, description = "The order's id.",
            example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5")),
    responses((status = 200, description = "The order.", body = OrderView))
)]
pub(super) async fn read(db: Data<Reads>, id: Path<String>) -> Answer {
    let unknown = || ApiError::no_such("order", &id);
    let id: OrderId = id.parse().map_err(|_| unknown())?;
    let order = orders::get(&db, id).await?.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(OrderView::from(&order)))
}

/// List orders, newest first.
///
/// A page is made by reading a bounded number of orders. Where few of them match, a page has fewer rows
/// than `limit`, or none; the list goes on until `nextCursor` is null.
#[utoipa::path(
    get, path = "/orders", tag = "orders", operation_id = "listOrders", params(OrderQuery),
    responses((status = 200, description = "A page of orders.", body = PageOf<OrderView>))
)]
pub(super) async fn list(db: Data<Reads>, query: Query<OrderQuery>) -> Answer {
    let found = orders::list(&db, &query.page()?).await?;
    Ok(HttpResponse::Ok().json(PageOf::<OrderView>::new(&found)))
}
