//! What happens to every request, whatever it asks for: it gets an id, and a panic gets an
//! answer instead of a closed connection.

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
use service::HTTP_METHODS;
use telemetry::trace;
use telemetry::trace::{Span, SpanKind, SpanRecord};
use tokio_util::sync::CancellationToken;

use super::problem::Problem;

/// The header that carries the id in and out.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a span keeps of a path, in characters: thousands of spans may wait for their collector.
const PATH_MAX: usize = 256;

/// Cancelled when the process is about to stop.
pub(crate) struct Draining(pub(crate) CancellationToken);

tokio::task_local! {
    static CURRENT: Current;
}

/// The request that a task is answering.
struct Current {
    id: RequestId,
    traceparent: Option<TraceParent>,
}

/// The id of the request that this task is answering; empty outside of one.
pub(crate) fn current_request_id() -> String {
    CURRENT.try_with(|current| current.id.to_string()).unwrap_or_default()
}

/// The same, for whoever passes it on.
pub(crate) fn request_id() -> RequestId {
    CURRENT.try_with(|current| current.id.clone()).unwrap_or_else(|_| RequestId::made_here())
}

/// The trace that this request belongs to: the caller's, or one that is recorded here.
pub(crate) fn traceparent() -> Option<TraceParent> {
    CURRENT.try_with(|current| current.traceparent).ok().flatten()
}

/// The caller's trace, if it sent a usable one. Of several nobody knows which one it meant.
fn of_caller(request: &ServiceRequest) -> Option<TraceParent> {
    let mut sent = request.headers().get_all("traceparent");
    let only = sent.next().filter(|_| sent.next().is_none());
    only?.to_str().ok()?.parse().ok()
}

/// Takes the client's `X-Request-ID` if it is sane, makes one otherwise, and returns it. While the
/// process is leaving, every answer is the last one of its connection: the client's next request
/// comes over a new one, which a balancer takes elsewhere.
pub(crate) async fn with_request_id(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let sent = request.headers().get(&X_REQUEST_ID).and_then(|id| id.to_str().ok());
    let id = sent.and_then(|id| id.parse().ok()).unwrap_or_else(RequestId::made_here);
    let caller = of_caller(&request);
    let recorded = trace::of_request(caller).map(|span| Recorded::of(span, &request, &id));
    let recorded = Pending(recorded);
    let traceparent = recorded.0.as_ref().map(|recorded| recorded.span.context()).or(caller);
    let marks = Marks {
        id: HeaderValue::from_str(id.as_str()).ok(),
        leaving: request.app_data().cloned(),
        recorded,
    };
    CURRENT
        .scope(Current { id, traceparent }, async move {
            let answered = AssertUnwindSafe(next.call(request)).catch_unwind().await;
            match answered {
                Ok(Ok(response)) => {
                    let mut response = response.map_into_boxed_body();
                    marks.put(response.response_mut());
                    Ok(response)
                }
                Ok(Err(error)) => Err(marks.answer(error.error_response())),
                Err(_) => {
                    log::error!(request_id = current_request_id(); "a handler panicked");
                    Err(marks.answer(Problem::Internal.error_response()))
                }
            }
        })
        .await
}

/// What every answer carries.
struct Marks {
    id: Option<HeaderValue>,
    leaving: Option<Data<Draining>>,
    recorded: Pending,
}

impl Marks {
    fn put(mut self, response: &mut HttpResponse<BoxBody>) {
        if let Some(recorded) = self.recorded.0.take() {
            recorded.ended(Some(response.status()));
        }
        if let Some(id) = self.id {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        if self.leaving.is_some_and(|leaving| leaving.0.is_cancelled()) {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
    }

    /// There is no request left to answer to, so the answer goes out as an error.
    fn answer(self, mut response: HttpResponse) -> Error {
        self.put(&mut response);
        InternalError::from_response("answered", response).into()
    }
}

/// The method, if it is one of RFC 9110 or RFC 5789. What a client makes up is `_OTHER` in a span and
/// `HTTP` in its name, as OpenTelemetry's conventions ask for.
fn known(method: &Method) -> Option<&'static str> {
    HTTP_METHODS.into_iter().find(|known| *known == method.as_str())
}

fn answered(told: SpanRecord, status: StatusCode) -> SpanRecord {
    let told = told.with(trace::HTTP_STATUS, usize::from(status.as_u16()));
    if !status.is_server_error() {
        return told;
    }
    told.with(trace::ERROR_TYPE, Arc::<str>::from(status.as_str()))
        .failed(status.as_str().to_owned())
}

/// What is wrong with a request that could not be answered.
const CLIENT_LEFT: &str = "client_left";

/// A request whose span has not ended. Its client may leave before the answer, which drops this: what
/// the request caused by then goes on, and names its span as the parent.
struct Pending(Option<Recorded>);

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(recorded) = self.0.take() {
            recorded.ended(None);
        }
    }
}

/// A request whose trace is recorded.
struct Recorded {
    span: Span,
    /// Nothing where it is none that HTTP knows.
    method: Option<&'static str>,
    path: Arc<str>,
    request_id: RequestId,
    route: Option<Arc<str>>,
}

impl Recorded {
    fn of(span: Span, request: &ServiceRequest, id: &RequestId) -> Recorded {
        let path: String = request.path().chars().take(PATH_MAX).collect();
        Recorded {
            span,
            method: known(request.method()),
            path: path.into(),
            request_id: id.clone(),
            route: request.match_pattern().map(Arc::from),
        }
    }

    /// With an answer, or without one because the client has left.
    fn ended(self, status: Option<StatusCode>) {
        let told = SpanRecord::new(SpanKind::Server, self.method.unwrap_or("HTTP"))
            .with(trace::URL_PATH, self.path)
            .with(trace::URL_SCHEME, "http")
            .with(trace::HTTP_METHOD, self.method.unwrap_or("_OTHER"))
            .with(trace::REQUEST_ID, &self.request_id);
        let told = match self.route {
            Some(route) => told.to(route.clone()).with(trace::HTTP_ROUTE, route),
            None => told,
        };
        self.span.end(match status {
            None => told.with(trace::ERROR_TYPE, CLIENT_LEFT).failed(CLIENT_LEFT),
            Some(status) => answered(told, status),
        });
    }
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, try_call_service};
    use actix_web::{App, HttpResponse, web};
    use service::count_requests;
    use telemetry::metrics::Metrics;

    use super::*;

    #[test]
    fn of_several_traces_none_is_the_callers() {
        let one = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let request = TestRequest::default().append_header(("traceparent", one));
        let alone = request.to_srv_request();
        assert_eq!(of_caller(&alone).unwrap().to_string(), one);
        let request = TestRequest::default().append_header(("traceparent", one));
        let both = request.append_header(("traceparent", one.replace("0a", "1a")));
        assert_eq!(of_caller(&both.to_srv_request()), None);
    }

    async fn panics() -> HttpResponse {
        panic!("on purpose")
    }

    /// As `app.rs` puts them around each other.
    #[tokio::test]
    async fn a_panic_is_counted_as_the_500_that_it_is_answered_with() {
        let metrics = Metrics::new("test");
        let app = App::new()
            .app_data(Data::new(service::HttpMetrics::new(&metrics)))
            .wrap(from_fn(with_request_id))
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
}
