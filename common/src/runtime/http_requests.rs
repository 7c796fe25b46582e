//! Counts the requests that a server answers.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::HttpMetrics;

/// Wraps everything else, with [`HttpMetrics`] in the app's data: time, route and status of each
/// request, and how many are being answered. The route is the pattern of the route table, a status
/// is the one that the client gets. A request whose client leaves before its answer is not counted.
///
/// # Errors
/// Those of what it wraps.
pub async fn count_requests<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let Some(metrics) = request.app_data::<Data<HttpMetrics>>().cloned() else {
        return next.call(request).await;
    };
    let counted = metrics.begin(request.method().as_str(), request.match_pattern());
    let answer = next.call(request).await;
    let status = match &answer {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    counted.answered(status.as_u16());
    answer
}
