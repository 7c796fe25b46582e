//! The auditor's report over HTTP: a page, and the same as JSON.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, ServiceConfig};
use minijinja::{Environment, context};
use service::{Problem, Routes};
use tokio::sync::watch;

use crate::report::Report;

/// Name of the template. It ends in `.html`, so that minijinja escapes every value.
const PAGE: &str = "page.html";

/// The routes `/`, `/audit` and `/audit.json`.
///
/// # Errors
/// If the template of the page is not valid.
pub(crate) fn routes(
    report: watch::Receiver<Report>,
) -> Result<impl Fn(&mut ServiceConfig) + Clone + Send, minijinja::Error> {
    let templates = Arc::new(templates()?);
    Ok(move |config: &mut ServiceConfig| {
        let mut routes = Routes::default();
        routes.add(Method::GET, "/", page);
        routes.add(Method::GET, "/audit", page);
        routes.add(Method::GET, "/audit.json", json);
        routes.configure(config);
        config.app_data(Data::new(report.clone())).app_data(Data::from(templates.clone()));
    })
}

fn templates() -> Result<Environment<'static>, minijinja::Error> {
    let mut templates = Environment::new();
    templates.add_template(PAGE, include_str!("page.html"))?;
    Ok(templates)
}

async fn page(
    report: Data<watch::Receiver<Report>>,
    templates: Data<Environment<'static>>,
) -> Result<HttpResponse, Problem> {
    let html = html(&templates, &report.borrow()).map_err(|error| {
        log::error!("the page cannot be rendered: {error}");
        Problem::internal()
    })?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html))
}

async fn json(report: Data<watch::Receiver<Report>>) -> HttpResponse {
    let report = report.borrow().clone();
    HttpResponse::Ok().json(report)
}

fn html(templates: &Environment<'_>, report: &Report) -> Result<String, minijinja::Error> {
    templates.get_template(PAGE)?.render(context! { report })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Violation;

    #[test]
    fn the_page_shows_violations_and_escapes_every_value() {
        let templates = templates().unwrap();
        let mut report = Report { as_of: Some("now".to_owned()), ..Report::default() };
        assert!(html(&templates, &report).unwrap().contains("No violations"));
        report.violations.push(Violation {
            kind: "amount_differs",
            order_id: "an-id".to_owned(),
            order: "Confirmed, 1 <script>".to_owned(),
            payment: String::new(),
            gateway: String::new(),
            since: String::new(),
        });
        let page = html(&templates, &report.with_trouble("away".to_owned())).unwrap();
        for part in ["1 violations", "amount_differs", "an-id", "1 &lt;script&gt;", "away"] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
