//! Orders over HTTP.

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use db::orders::{Page, PlaceOrder};
use db::{Db, orders};
use domain::{CustomerId, IdempotencyKey, Order, OrderId, OrderStatus};
use serde::Deserialize;
use service::CrashPoint;
use service::crash_point::reach_at_once;
use utoipa::openapi::RefOr;
use utoipa::openapi::response::Response;
use utoipa::{IntoParams, IntoResponses};

use super::document::documented;
use super::input::{Fields, JsonBody};
use super::order_dto::{OrderBody, OrderView, StatusView};
use super::page::{LIMIT_DEFAULT, Limit, PageOf};
use super::problem::Problem;
use super::request::{request_id, traceparent};
use crate::crash_points;
use crate::orders::Intake;

/// Says that an answer was given before.
const REPLAYED: &str = "Idempotency-Replayed";

struct PlaceProblems;

impl IntoResponses for PlaceProblems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        documented(&[
            ("400", "The body is not JSON."),
            ("409", "A request with the same `Idempotency-Key` has no answer yet."),
            ("413", "The body is larger than 16384 bytes."),
            ("415", "`Content-Type` is not `application/json`."),
            (
                "422",
                "Fields are wrong, product or customer are unknown or archived, or the key \
                     was used for another order.",
            ),
        ])
    }
}

/// Place an order.
///
/// A `201` means that the order is stored for good and will reach `Confirmed` or `Canceled`. The
/// same `Idempotency-Key` with the same body again gives the first answer and places nothing.
#[utoipa::path(
    post, path = "/orders", tag = "orders", operation_id = "placeOrder", request_body = OrderBody,
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255,
            pattern = "^[!-~]{1,255}$",
            description = "Your name for this order, however often you send it."),
           ("X-Request-ID" = Option<String>, Header, description = "Your name for this request.")),
    responses(
        (status = 201, description = "Stored.", body = OrderView, headers(
            ("Location" = String, description = "Where the order can be read."),
            ("Idempotency-Replayed" = String, description = "`true` if this answer was given before."))),
        PlaceProblems)
)]
pub(crate) async fn place(
    intake: Data<Intake>,
    request: HttpRequest,
    JsonBody(body): JsonBody<OrderBody>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let key = idempotency_key(&request, &mut fields);
    let validate = body.validate(&mut fields);
    let order = fields.finish(validate)?;
    let (request_id, traceparent) = (request_id(), traceparent());
    let placing = PlaceOrder { id: OrderId::new(), order, key, request_id, traceparent };
    let placement = intake.place(placing).await?;
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, format!("/orders/{}", placement.order.id)));
    if placement.replayed {
        answer.insert_header((REPLAYED, "true"));
    }
    after_the_answer(crash_points::PLACE_ANSWERED);
    Ok(answer.json(OrderView::from(&placement.order)))
}

/// Actix writes an answer in the same step in which its handler ends; what is spawned on this thread
/// runs after that.
fn after_the_answer(point: CrashPoint) {
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

struct ReadProblems;

impl IntoResponses for ReadProblems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        documented(&[("404", "There is no such order.")])
    }
}

/// Read an order.
#[utoipa::path(
    get, path = "/orders/{id}", tag = "orders", operation_id = "getOrder",
    params(("id" = String, Path, format = Uuid, description = "The order's id.",
            example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5")),
    responses((status = 200, description = "The order.", body = OrderView), ReadProblems)
)]
pub(crate) async fn read(db: Data<Db>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::NotFound(format!("There is no order `{id}`."));
    let id: OrderId = id.parse().map_err(|_| unknown())?;
    let order = orders::get(&db, id).await?.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(OrderView::from(&order)))
}

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrderQuery {
    /// Only this customer's.
    #[param(example = "1", pattern = "^[1-9][0-9]{0,17}$")]
    customer_id: Option<String>,
    /// Only those with this status.
    #[param(value_type = Option<StatusView>)]
    status: Option<String>,
    /// How many, 1 to 500; 50 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 500, example = 50)]
    limit: Option<String>,
    /// `nextCursor` of the page before.
    #[param(value_type = Option<String>, format = Uuid)]
    cursor: Option<String>,
}

impl OrderQuery {
    /// Which page that is.
    pub(crate) fn page(&self) -> Result<Page, Problem> {
        let mut fields = Fields::default();
        let limit = fields.optional("limit", self.limit.as_deref());
        let Limit(limit) = limit.unwrap_or(Limit(LIMIT_DEFAULT));
        let customer_id: Option<CustomerId> =
            fields.optional("customerId", self.customer_id.as_deref());
        let status: Option<OrderStatus> = fields.optional("status", self.status.as_deref());
        let before = self.cursor.as_deref().map(|cursor| {
            cursor.parse::<OrderId>().map_err(|_| "must be `nextCursor` of the page before")
        });
        let before = fields.checked("cursor", before);
        fields.finish(Some(Page { customer_id, status, before, limit }))
    }
}

struct ListProblems;

impl IntoResponses for ListProblems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        documented(&[("422", "A query parameter is wrong.")])
    }
}

/// List orders, newest first.
#[utoipa::path(
    get, path = "/orders", tag = "orders", operation_id = "listOrders", params(OrderQuery),
    responses((status = 200, description = "A page of orders.", body = PageOf<OrderView>), ListProblems)
)]
pub(crate) async fn list(db: Data<Db>, query: Query<OrderQuery>) -> Result<HttpResponse, Problem> {
    let page = query.page()?;
    let limit = page.limit;
    // One row more tells whether there is a next page.
    let found = orders::list(&db, &Page { limit: limit + 1, ..page }).await?;
    let page = PageOf::<OrderView>::of(found, limit, |order: &Order| order.id.to_string());
    Ok(HttpResponse::Ok().json(page))
}
