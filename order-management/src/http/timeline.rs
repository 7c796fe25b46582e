//! What became of an order, over HTTP.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use domain::OrderId;
use utoipa::IntoResponses;
use utoipa::openapi::RefOr;
use utoipa::openapi::response::Response;

use super::document::documented;
use super::problem::Problem;
use super::timeline_dto::TimelineView;
use crate::orders::Timelines;

struct TimelineProblems;

impl IntoResponses for TimelineProblems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        documented(&[("404", "There is no such order.")])
    }
}

/// Read what became of an order.
///
/// From the tables alone, and nothing is written down for it while an order goes straight through: when
/// it was published and replied to is known to be past, and no time is told. Times are the databases'.
/// Workers may have a database of their own, whose clock differs: what happened stands in the order of
/// the road.
#[utoipa::path(
    get, path = "/orders/{id}/timeline", tag = "orders", operation_id = "getTimeline",
    params(("id" = String, Path, format = Uuid, description = "The order's id.",
            example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5")),
    responses((status = 200, description = "What happened so far.", body = TimelineView),
              TimelineProblems)
)]
pub(crate) async fn read(
    timelines: Data<Timelines>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::NotFound(format!("There is no order `{id}`."));
    let id: OrderId = id.parse().map_err(|_| unknown())?;
    let timeline = timelines.of(id).await?.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(TimelineView::from(&timeline)))
}
