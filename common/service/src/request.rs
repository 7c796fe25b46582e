//! The frame of every request: an id, an answer to a panic in place of a closed connection, and a span
//! where the program records traces.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse, ResponseError as _};
use domain::{RequestId, TraceParent};
use futures_util::FutureExt as _;
use telemetry::trace;
use telemetry::trace::{Span, SpanKind, SpanRecord};
use tokio_util::sync::CancellationToken;

use crate::answer_body::RequestParts;
use crate::current_request::{CURRENT, Current, request_id};
use crate::http_metrics::HTTP_METHODS;
use crate::problem::Problem;

/// Header of the request's id, in requests and answers.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Length of a path in a span, in characters: thousands of spans may wait for their collector.
const PATH_MAX: usize = 256;
/// Error type of a request whose client left before the answer.
const CLIENT_LEFT: &str = "client_left";

/// Data of an app whose answers close their connections once the token is cancelled: the client's
/// next request then opens a connection, which a balancer directs to another process.
#[derive(Clone, Debug)]
pub struct Draining(pub CancellationToken);

/// Middleware: gives the request an id, returns the id in `X-Request-ID`, and answers a panic with a
/// problem. A valid `X-Request-ID` of the client is the id, otherwise the server makes one.
///
/// # Errors
/// The answer to a request whose handler panicked.
pub async fn with_request_id(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let current = Current { id: id_of(&request), traceparent: caller_trace(&request) };
    answer(request, next, current, UnfinishedSpan(None)).await
}

/// Middleware: [`with_request_id`], and a span for the request.
///
/// # Errors
/// As [`with_request_id`].
pub async fn with_request_span(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = id_of(&request);
    let caller = caller_trace(&request);
    let span = trace::of_request(caller).map(|span| RequestSpan::new(span, &request, &id));
    let traceparent = span.as_ref().map(|request| request.span.context()).or(caller);
    answer(request, next, Current { id, traceparent }, UnfinishedSpan(span)).await
}

/// The id that an outer middleware has set, else the client's, else a new one.
fn id_of(request: &ServiceRequest) -> RequestId {
    let outer = CURRENT.try_with(|current| current.id.clone()).ok();
    let sent = || request.headers().get(&X_REQUEST_ID)?.to_str().ok()?.parse().ok();
    outer.or_else(sent).unwrap_or_else(RequestId::made_here)
}

/// The caller's trace. Several `traceparent` headers count as none: no rule says which is right.
fn caller_trace(request: &ServiceRequest) -> Option<TraceParent> {
    let mut sent = request.headers().get_all("traceparent");
    let only = sent.next().filter(|_| sent.next().is_none());
    only?.to_str().ok()?.parse().ok()
}

async fn answer(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    current: Current,
    span: UnfinishedSpan,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let finish = FinishAnswer {
        id: HeaderValue::from_str(current.id.as_str()).ok(),
        draining: request.app_data().cloned(),
        span,
        parts: RequestParts::of(&mut request),
    };
    CURRENT
        .scope(current, async move {
            match AssertUnwindSafe(next.call(request)).catch_unwind().await {
                Ok(Ok(response)) => {
                    let (request, answer) = response.into_parts();
                    let answer = finish.apply(answer.map_into_boxed_body());
                    Ok(ServiceResponse::new(request, answer))
                }
                Ok(Err(error)) => Err(finish.into_error(error.error_response())),
                Err(_) => {
                    log::error!(request_id:% = request_id(); "a handler panicked");
                    Err(finish.into_error(Problem::internal().error_response()))
                }
            }
        })
        .await
}

/// Adds the parts that every answer has.
struct FinishAnswer {
    id: Option<HeaderValue>,
    draining: Option<Data<Draining>>,
    span: UnfinishedSpan,
    parts: RequestParts,
}

impl FinishAnswer {
    fn apply(mut self, mut response: HttpResponse<BoxBody>) -> HttpResponse<BoxBody> {
        if let Some(span) = self.span.0.take() {
            span.end(Some(response.status()));
        }
        if let Some(id) = self.id {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        if self.draining.is_some_and(|draining| draining.0.is_cancelled()) {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        response.map_body(|_, body| self.parts.kept_by(body))
    }

    /// The same where the failed call consumed the request: actix-web sends the error's answer.
    fn into_error(self, response: HttpResponse) -> Error {
        InternalError::from_response("answered", self.apply(response)).into()
    }
}

/// The span of a request without an answer yet. Dropped when the client leaves before the answer; work
/// that the request has caused goes on and names the span as its parent.
struct UnfinishedSpan(Option<RequestSpan>);

impl Drop for UnfinishedSpan {
    fn drop(&mut self) {
        if let Some(span) = self.0.take() {
            span.end(None);
        }
    }
}

/// The recorded span of a request, with its attributes.
struct RequestSpan {
    span: Span,
    /// `None` for a method that HTTP does not define.
    method: Option<&'static str>,
    path: Arc<str>,
    request_id: RequestId,
    route: Option<Arc<str>>,
}

impl RequestSpan {
    fn new(span: Span, request: &ServiceRequest, id: &RequestId) -> RequestSpan {
        let path: String = request.path().chars().take(PATH_MAX).collect();
        RequestSpan {
            span,
            method: standard_method(request.method()),
            path: path.into(),
            request_id: id.clone(),
            route: request.match_pattern().map(Arc::from),
        }
    }

    /// Ends the span; `None` if the client left before the answer. A method that HTTP does not define
    /// is `_OTHER`, and `HTTP` in the span's name, by OpenTelemetry's conventions.
    fn end(self, status: Option<StatusCode>) {
        let record = SpanRecord::new(SpanKind::Server, self.method.unwrap_or("HTTP"))
            .with(trace::URL_PATH, self.path)
            .with(trace::URL_SCHEME, "http")
            .with(trace::HTTP_METHOD, self.method.unwrap_or("_OTHER"))
            .with(trace::REQUEST_ID, &self.request_id);
        let record = match self.route {
            Some(route) => record.to(route.clone()).with(trace::HTTP_ROUTE, route),
            None => record,
        };
        self.span.end(match status {
            None => record.with(trace::ERROR_TYPE, CLIENT_LEFT).failed(CLIENT_LEFT),
            Some(status) => with_status(record, status),
        });
    }
}

/// The method, if RFC 9110 or RFC 5789 defines it.
fn standard_method(method: &Method) -> Option<&'static str> {
    HTTP_METHODS.into_iter().find(|standard| *standard == method.as_str())
}

fn with_status(record: SpanRecord, status: StatusCode) -> SpanRecord {
    let record = record.with(trace::HTTP_STATUS, usize::from(status.as_u16()));
    if !status.is_server_error() {
        return record;
    }
    record
        .with(trace::ERROR_TYPE, Arc::<str>::from(status.as_str()))
        .failed(status.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, read_body_json, try_call_service};
    use actix_web::{App, HttpResponse, web};
    use serde_json::Value;
    use telemetry::metrics::Metrics;

    use super::*;
    use crate::{HttpMetrics, count_requests};

    #[test]
    fn several_traceparent_headers_count_as_none() {
        let one = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let request = TestRequest::default().append_header(("traceparent", one));
        let alone = request.to_srv_request();
        assert_eq!(caller_trace(&alone).unwrap().to_string(), one);
        let request = TestRequest::default().append_header(("traceparent", one));
        let both = request.append_header(("traceparent", one.replace("0a", "1a")));
        assert_eq!(caller_trace(&both.to_srv_request()), None);
    }

    async fn panics() -> HttpResponse {
        panic!("on purpose")
    }

    #[tokio::test]
    async fn a_panic_is_counted_as_the_500_that_it_is_answered_with() {
        let metrics = Metrics::new("test");
        let app = App::new()
            .app_data(Data::new(HttpMetrics::new(&metrics)))
            .wrap(from_fn(with_request_span))
            .wrap(from_fn(count_requests))
            .route("/orders/{id}", web::get().to(panics));
        let app = init_service(app).await;

        let request = TestRequest::with_uri("/orders/1").to_request();
        let answer = try_call_service(&app, request).await.unwrap_err();

        assert_eq!(answer.error_response().status(), 500);
        let wanted = "http_server_request_duration_seconds_count{http_request_method=\"GET\",\
                      http_route=\"/orders/{id}\",http_response_status_code=\"500\"} 1";
        let text = metrics.render().unwrap();
        assert!(text.lines().any(|line| line == wanted), "{text}");
    }

    #[tokio::test]
    async fn a_request_in_two_middlewares_has_one_id() {
        let fails = async || Err::<HttpResponse, _>(Problem::not_found("nothing is here"));
        let inner = web::scope("").wrap(from_fn(with_request_span)).default_service(web::to(fails));
        let app = init_service(App::new().wrap(from_fn(with_request_id)).service(inner)).await;

        let request = TestRequest::with_uri("/nothing").to_request();
        let answer = try_call_service(&app, request).await.unwrap();

        let header = answer.headers().get(X_REQUEST_ID).unwrap().to_str().unwrap().to_owned();
        let body: Value = read_body_json(answer).await;
        assert_eq!(body["requestId"], header);
        assert_eq!(body["type"], "urn:ordermill:problem:not-found");
    }
}
