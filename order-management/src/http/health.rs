//! The state of the process over HTTP, on the API's port. The ops port serves the same answers.

use actix_web::HttpResponse;
use actix_web::web::Data;
use service::{Readiness, ops_server};
use utoipa::ToSchema;

/// The state of the process.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document of `service::Health`, whose components it shows")]
struct HealthView {
    /// `UP` or `DOWN`.
    #[schema(example = "UP")]
    status: String,
    /// `UP` or the reason, component by component. The reason of a component that orders are taken
    /// without begins with `DEGRADED: `.
    #[schema(example = json!({"consumer": "UP", "database": "UP", "publisher": "UP"}))]
    components: std::collections::BTreeMap<String, String>,
}

/// Liveness: the process runs.
#[utoipa::path(get, path = "/health/live", tag = "health",
    responses((status = 200, description = "The process runs.", body = HealthView)))]
pub(super) async fn live() -> HttpResponse {
    ops_server::live().await
}

/// Readiness: orders can be taken. The broker is not needed for that: while it is away, orders wait in
/// the outbox, and the components `publisher` and `consumer` are shown as degraded.
#[utoipa::path(get, path = "/health/ready", tag = "health",
    responses((status = 200, description = "No component that orders need is down.", body = HealthView),
              (status = 503, description = "A component that orders need is down; its entry has the reason.", body = HealthView)))]
pub(super) async fn ready(readiness: Data<Readiness>) -> HttpResponse {
    ops_server::ready(readiness).await
}

/// Readiness, at the path of Spring's tools.
#[utoipa::path(get, path = "/actuator/health", tag = "health",
    responses((status = 200, description = "No component that orders need is down.", body = HealthView),
              (status = 503, description = "A component that orders need is down; its entry has the reason.", body = HealthView)))]
pub(super) async fn actuator(readiness: Data<Readiness>) -> HttpResponse {
    ops_server::ready(readiness).await
}
