use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::book::Book;
use super::buckets::{Histograms, request_times};

/// The methods of RFC 9110 and RFC 5789. Anything else a client makes up is `_OTHER`, as
/// OpenTelemetry's conventions ask for.
pub const HTTP_METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
const OTHER: &str = "_OTHER";
/// The route of a request that matches none.
pub(crate) const UNMATCHED: &str = "unmatched";
/// How a route fails that has worked. From its first good answer on they are shown, at 0: the first
/// failure is then an increase, and an outage between two scrapes is seen.
const FAILURES: [u16; 2] = [500, 503];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    http_request_method: &'static str,
    http_route: String,
    http_response_status_code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    http_request_method: &'static str,
}

/// What is known of requests. There are as many series as routes in the route table times methods
/// and statuses that really occurred, and the failures of what has worked: what a client writes gets
/// into none of the labels.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    durations: Histograms<RequestLabels>,
    active: Family<MethodLabels, Gauge>,
    /// The same gauges, looked up once.
    by_method: Vec<(&'static str, Gauge)>,
}

/// A request that is being answered. Dropped without an answer it is one that a panic ended, which
/// is a 500, or one whose connection broke, which is none.
#[derive(Debug)]
pub(crate) struct Answering<'a> {
    metrics: &'a HttpMetrics,
    method: &'static str,
    route: String,
    active: Option<&'a Gauge>,
    begun: Instant,
    answered: bool,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        let active: Family<MethodLabels, Gauge> = Family::default();
        let methods = HTTP_METHODS.into_iter().chain([OTHER]);
        let gauge = |method| {
            (method, active.get_or_create_owned(&MethodLabels { http_request_method: method }))
        };
        let by_method = methods.map(gauge).collect();
        HttpMetrics { durations: Family::new_with_constructor(request_times), active, by_method }
    }
}

impl HttpMetrics {
    pub(super) fn put_in(&self, book: &mut Book) {
        book.histogram(
            "http_server_request_duration_seconds",
            "Time until the answer to a request is ready",
            self.durations.clone(),
        );
        book.gauge(
            "http_server_active_requests",
            "Requests that are being answered",
            self.active.clone(),
        );
    }

    /// The histogram of an answer that was not given before.
    fn first(&self, labels: &RequestLabels) -> Histogram {
        let failures = FAILURES.into_iter().filter(|_| labels.http_response_status_code < 400);
        for http_response_status_code in failures {
            let labels = RequestLabels { http_response_status_code, ..labels.clone() };
            drop(self.durations.get_or_create(&labels));
        }
        self.durations.get_or_create_owned(labels)
    }

    /// A request has come. `route` is the pattern of the route table that it matches.
    pub(crate) fn begin(&self, method: &str, route: Option<String>) -> Answering<'_> {
        let known = self.by_method.iter().find(|(name, _)| *name == method);
        let known = known.or(self.by_method.last());
        let (method, active) = (known.map_or(OTHER, |k| k.0), known.map(|k| &k.1));
        active.map(Gauge::inc);
        let route = route.unwrap_or_else(|| UNMATCHED.to_owned());
        let begun = Instant::now();
        Answering { metrics: self, method, route, active, begun, answered: false }
    }
}

impl Answering<'_> {
    /// Its answer is ready.
    pub(crate) fn answered(mut self, status: u16) {
        self.count(status);
    }

    fn count(&mut self, status: u16) {
        self.answered = true;
        let labels = RequestLabels {
            http_request_method: self.method,
            http_route: std::mem::take(&mut self.route),
            http_response_status_code: status,
        };
        let took = self.begun.elapsed().as_secs_f64();
        match self.metrics.durations.get(&labels) {
            Some(known) => known.observe(took),
            None => self.metrics.first(&labels).observe(took),
        }
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.active.map(Gauge::dec);
        if !self.answered && std::thread::panicking() {
            self.count(500);
        }
    }
}
