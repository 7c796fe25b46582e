//! Counts the requests that a server answers.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::HttpMetrics;

/// Wraps everything else, with [`HttpMetrics`] in the app's data: time, route and status of each
/// request, and how many are being answered. The route is the pattern of the route table, a status
/// is the one that the client gets. A request whose connection breaks before its answer is not counted.
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

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, try_call_service};
    use actix_web::{App, HttpResponse, error, web};

    use super::*;
    use crate::runtime::{Metrics, Program};

    /// What is counted of a request, and its status.
    async fn counted(method: &str, path: &str) -> String {
        let metrics = Metrics::of(Program::OrderManagement);
        let found = web::get().to(async |_: web::Path<String>| HttpResponse::NoContent());
        let fails =
            web::get().to(async || Err::<HttpResponse, _>(error::ErrorImATeapot("on purpose")));
        let app = App::new()
            .app_data(Data::new(metrics.http.clone()))
            .wrap(from_fn(async |request: ServiceRequest, next: Next<_>| match request.path() {
                "/refused" => Err(error::ErrorForbidden("by what stands between")),
                _ => next.call(request).await,
            }))
            .wrap(from_fn(count_requests))
            .service(web::resource("/orders/{id}").route(found))
            .service(web::resource("/fails").route(fails));
        let app = init_service(app).await;
        let method = method.parse().unwrap();
        drop(try_call_service(&app, TestRequest::with_uri(path).method(method).to_request()).await);
        let text = metrics.render().unwrap();
        let counts = text.lines().filter_map(|line| {
            let (labels, count) = line
                .strip_prefix("http_server_request_duration_seconds_count{")?
                .rsplit_once("} ")?;
            if count == "0" {
                return None;
            }
            let value = |label: &str| label.split('"').nth(1).unwrap_or_default().to_owned();
            Some(labels.split(',').map(value).collect::<Vec<_>>().join(" "))
        });
        counts.collect::<Vec<_>>().join("; ")
    }

    #[tokio::test]
    async fn each_request_is_counted_under_its_route_and_what_the_client_gets() {
        for (method, path, wanted) in [
            ("GET", "/orders/17", "GET /orders/{id} 204"),
            ("GET", "/orders/18?a=b", "GET /orders/{id} 204"),
            ("POST", "/orders/17", "POST /orders/{id} 405"),
            ("BREW", "/orders/17", "_OTHER /orders/{id} 405"),
            ("GET", "/fails", "GET /fails 418"),
            ("GET", "/refused", "GET unmatched 403"),
            ("GET", "/orders", "GET unmatched 404"),
        ] {
            assert_eq!(counted(method, path).await, wanted);
        }
    }
}
