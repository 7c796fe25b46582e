use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::{App, HttpResponse, error, web};

use super::*;

/// The count of a request and its status.
async fn counted(method: &str, path: &str) -> String {
    let metrics = Metrics::new("test");
    let found = web::get().to(async |_: web::Path<String>| HttpResponse::NoContent());
    let fails = web::get().to(async || Err::<HttpResponse, _>(error::ErrorImATeapot("on purpose")));
    let app = App::new()
        .app_data(Data::new(HttpMetrics::new(&metrics)))
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
        let (labels, count) =
            line.strip_prefix("http_server_request_duration_seconds_count{")?.rsplit_once("} ")?;
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

#[test]
fn a_name_that_a_client_made_up_gets_into_no_label() {
    let metrics = Metrics::new("test");
    let http = HttpMetrics::new(&metrics);
    for i in 0..200 {
        http.start(&format!("METHOD{i}"), None).answered(404);
    }
    let text = metrics.render().unwrap();
    let counts: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("http_server_request_duration_seconds_count{"))
        .collect();
    assert_eq!(
        counts,
        ["http_server_request_duration_seconds_count{http_request_method=\"_OTHER\",\
          http_route=\"unmatched\",http_response_status_code=\"404\"} 200"]
    );
}

#[test]
fn what_has_worked_shows_its_failures_before_the_first_one() {
    let metrics = Metrics::new("test");
    let http = HttpMetrics::new(&metrics);
    let failures = || {
        let text = metrics.render().unwrap();
        let failed = |line: &&str| line.contains("_count{") && line.contains("code=\"50");
        text.lines().filter(failed).map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    let answer = |status| http.start("POST", Some("/orders".to_owned())).answered(status);
    answer(422);
    assert_eq!(failures(), "");
    answer(201);
    let shown = failures();
    for wanted in ["http_response_status_code=\"500\"} 0", "http_response_status_code=\"503\"} 0"] {
        assert!(shown.contains(wanted), "{shown}");
    }
    answer(503);
    answer(201);
    assert!(failures().contains("http_response_status_code=\"503\"} 1"), "{}", failures());
}

#[test]
fn a_request_is_active_until_it_is_answered_or_dropped() {
    let metrics = Metrics::new("test");
    let http = HttpMetrics::new(&metrics);
    let active = || {
        let text = metrics.render().unwrap();
        let post = "http_server_active_requests{http_request_method=\"POST\"} ";
        text.lines().find_map(|l| l.strip_prefix(post).map(str::to_owned)).unwrap()
    };
    let counted = "http_server_request_duration_seconds_count{";
    let counts = || metrics.render().unwrap().contains(counted);
    let first = http.start("POST", None);
    let second = http.start("POST", None);
    assert_eq!(active(), "2");
    drop(first);
    assert!(!counts(), "a client that left has no answer");
    second.answered(201);
    assert_eq!(active(), "0");
    assert!(counts());
}

#[test]
fn a_panic_is_a_500() {
    let metrics = Metrics::new("test");
    let http = HttpMetrics::new(&metrics);
    let answering = std::panic::AssertUnwindSafe(|| {
        let _counted = http.start("POST", Some("/orders".to_owned()));
        panic!("on purpose");
    });
    assert!(std::panic::catch_unwind(answering).is_err());
    assert!(metrics.render().unwrap().contains("http_response_status_code=\"500\""));
}
