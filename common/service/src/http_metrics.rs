//! Metrics of an HTTP server, named as OpenTelemetry's conventions name them.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use prometheus_client::encoding::EncodeLabelSet;
use telemetry::metrics::buckets::request_times;
use telemetry::metrics::{Family, Gauge, Histogram, Histograms, Metrics};

/// The methods of RFC 9110 and RFC 5789. Any other method counts as `_OTHER`
/// (<https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>).
pub const HTTP_METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
const OTHER: &str = "_OTHER";
/// The route of a request that matches none.
const UNMATCHED: &str = "unmatched";
/// Failures of a route that has worked. From the first good answer on they are exposed at 0: the
/// first failure is then an increase, and an outage between two scrapes is visible.
const FAILURES: [u16; 2] = [500, 503];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    /// One of the nine methods of RFC 9110 and RFC 5789, else `_OTHER`
    http_request_method: &'static str,
    /// The matched pattern of the route table, such as `/orders/{id}`, else `unmatched`
    http_route: String,
    /// The status of the answer
    http_response_status_code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    /// One of the nine methods of RFC 9110 and RFC 5789, else `_OTHER`
    http_request_method: &'static str,
}

telemetry::metrics! {
    /// Metrics of requests by label.
    struct RequestFamilies {
        /// Time until the answer is ready. A panic counts as a 500; a request whose connection broke
        /// earlier is not counted
        durations: Histograms<RequestLabels> = "http_server_request_duration_seconds"
            from Histograms::new_with_constructor(request_times),
        /// Requests in progress
        active: Family<MethodLabels, Gauge> = "http_server_active_requests",
    }
}

/// Metrics of requests. The number of series is bounded: labels come from the route table, never
/// from a client.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    durations: Histograms<RequestLabels>,
    /// The gauges of active requests, resolved once.
    active: Vec<(&'static str, Gauge)>,
}

/// A request that is being answered. Dropped without an answer it counts as 500 if its handler
/// panicked, and not at all if its connection broke.
#[derive(Debug)]
struct ActiveRequest<'a> {
    metrics: &'a HttpMetrics,
    method: &'static str,
    route: String,
    active: Option<&'a Gauge>,
    started: Instant,
    answered: bool,
}

impl HttpMetrics {
    /// The HTTP metrics of a process.
    pub fn new(metrics: &Metrics) -> HttpMetrics {
        let families: RequestFamilies = metrics.get();
        let methods = HTTP_METHODS.into_iter().chain([OTHER]);
        let gauge = |method| {
            let labels = MethodLabels { http_request_method: method };
            (method, families.active.get_or_create_owned(&labels))
        };
        HttpMetrics { active: methods.map(gauge).collect(), durations: families.durations }
    }

    /// The histogram of a combination of labels that is new.
    fn first(&self, labels: &RequestLabels) -> Histogram {
        let failures = FAILURES.into_iter().filter(|_| labels.http_response_status_code < 400);
        for http_response_status_code in failures {
            let labels = RequestLabels { http_response_status_code, ..labels.clone() };
            drop(self.durations.get_or_create(&labels));
        }
        self.durations.get_or_create_owned(labels)
    }

    /// Starts counting a request. `route` is the pattern of the route table that it matches.
    fn start(&self, method: &str, route: Option<String>) -> ActiveRequest<'_> {
        let known = self.active.iter().find(|(name, _)| *name == method);
        let known = known.or(self.active.last());
        let (method, active) = (known.map_or(OTHER, |k| k.0), known.map(|k| &k.1));
        active.map(Gauge::inc);
        let route = route.unwrap_or_else(|| UNMATCHED.to_owned());
        let started = Instant::now();
        ActiveRequest { metrics: self, method, route, active, started, answered: false }
    }
}

impl ActiveRequest<'_> {
    fn answered(mut self, status: u16) {
        self.count(status);
    }

    fn count(&mut self, status: u16) {
        self.answered = true;
        let labels = RequestLabels {
            http_request_method: self.method,
            http_route: std::mem::take(&mut self.route),
            http_response_status_code: status,
        };
        let took = self.started.elapsed().as_secs_f64();
        match self.metrics.durations.get(&labels) {
            Some(known) => known.observe(took),
            None => self.metrics.first(&labels).observe(took),
        }
    }
}

impl Drop for ActiveRequest<'_> {
    fn drop(&mut self) {
        self.active.map(Gauge::dec);
        if !self.answered && std::thread::panicking() {
            self.count(500);
        }
    }
}

/// Middleware that wraps all others, with [`HttpMetrics`] in the app's data: counts time, route and
/// status of each request, and how many are being answered. The route is the pattern of the route
/// table, the status is the one that the client gets. A request whose connection breaks before its
/// answer is not counted.
///
/// # Errors
/// Those of the wrapped service.
pub async fn count_requests<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let Some(metrics) = request.app_data::<Data<HttpMetrics>>().cloned() else {
        return next.call(request).await;
    };
    let active = metrics.start(request.method().as_str(), request.match_pattern());
    let answer = next.call(request).await;
    let status = match &answer {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    active.answered(status.as_u16());
    answer
}

#[cfg(test)]
mod tests;
