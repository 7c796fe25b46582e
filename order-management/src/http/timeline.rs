//! The timeline of an order over HTTP.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use domain::OrderId;

use super::error::{Answer, ApiError};
use super::timeline_dto::TimelineView;
use crate::orders::Timelines;

/// Read the timeline of an order.
///
/// The timeline is joined from the tables. Nothing is stored for it while an order passes straight
/// through: publishing and reply are then known to have happened, without a time. Times are those of the
/// databases. The workers may have a database of their own with another clock, so the order of the
/// events is the order of the stages.
#[utoipa::path(
    get, path = "/orders/{id}/timeline", tag = "orders", operation_id = "getTimeline",
    params(("id" = String, Path, format = Uuid, description = "The order's id.",
            example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5")),
    responses((status = 200, description = "The events so far.", body = TimelineView))
)]
pub(super) async fn read(timelines: Data<Timelines>, id: Path<String>) -> Answer {
    let unknown = || ApiError::no_such("order", &id);
    let id: OrderId = id.parse().map_err(|_| unknown())?;
    let timeline = timelines.of(id).await?.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(TimelineView::from(&timeline)))
}
