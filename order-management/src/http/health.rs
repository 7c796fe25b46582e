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
    /// `UP` or the reason, component by component.
    #[schema(example = json!({"consumer": "UP", "database": "UP", "publisher": "UP"}))]
    components: std::collections::BTreeMap<String, String>,
}

/// Liveness: the process runs.
#[utoipa::path(get, path = "/health/live", tag = "health",
    responses((status = 200, description = "The process runs.", body = HealthView)))]
pub(super) async fn live() -> HttpResponse {
    ops_server::live().await
}

/// Readiness: the database answers, the broker accepts messages, and the consumer of results consumes.
#[utoipa::path(get, path = "/health/ready", tag = "health",
    responses((status = 200, description = "All components are up.", body = HealthView),
              (status = 503, description = "A component is down; its entry has the reason.", body = HealthView)))]
pub(super) async fn ready(readiness: Data<Readiness>) -> HttpResponse {
    ops_server::ready(readiness).await
}

/// Readiness, at the path of Spring's tools.
#[utoipa::path(get, path = "/actuator/health", tag = "health",
    responses((status = 200, description = "All components are up.", body = HealthView),
              (status = 503, description = "A component is down; its entry has the reason.", body = HealthView)))]
pub(super) async fn actuator(readiness: Data<Readiness>) -> HttpResponse {
    ops_server::ready(readiness).await
}
