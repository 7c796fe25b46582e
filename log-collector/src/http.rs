//! `GET /logs`: lines, oldest first, a page at a time.

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use db::Reads;
use db::logs::{self, Entry};
use domain::{OrderId, rfc3339};
use serde::Serialize;
use serde_json::Value;
use service::{HttpMetrics, Problem, Routes, count_requests};
use telemetry::metrics::Metrics;

use crate::problem::from_database;
use crate::query::{self, Cursor};

/// The route `/logs`.
pub(crate) fn routes(
    db: Reads,
    metrics: &Metrics,
) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let (db, counts) = (Data::new(db), Data::new(HttpMetrics::new(metrics)));
    move |config: &mut ServiceConfig| {
        let mut routes = Routes::default();
        routes.add(Method::GET, "/logs", page);
        for resource in routes.into_resources() {
            config.service(resource.wrap(from_fn(count_requests)));
        }
        config.app_data(db.clone()).app_data(counts.clone());
    }
}

async fn page(db: Data<Reads>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let parameters = Query::<Vec<(String, String)>>::from_query(request.query_string());
    let parameters = parameters.map_err(|_| {
        Problem::invalid_field("query", "must be parameters in UTF-8, such as level=warn&limit=10")
    })?;
    let query = query::read(&parameters).map_err(Problem::invalid_fields)?;
    let found = logs::read(&db, &query).await.map_err(from_database)?;
    let next_cursor = found.next.map(|position| Cursor::from(position).to_string());
    Ok(HttpResponse::Ok()
        .json(Page { data: found.rows.into_iter().map(LineView::from).collect(), next_cursor }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<LineView>,
    /// The cursor of the next page; null on the last one.
    next_cursor: Option<String>,
}

/// A line in an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineView {
    time: String,
    level: &'static str,
    service: String,
    instance: String,
    sequence: i64,
    target: String,
    message: String,
    order_ids: Vec<String>,
    request_ids: Vec<String>,
    trace_ids: Vec<String>,
    /// All other fields of the line.
    fields: Value,
}

impl From<Entry> for LineView {
    fn from(line: Entry) -> LineView {
        LineView {
            time: rfc3339::format(line.logged_at),
            level: line.level.as_str(),
            service: line.service,
            instance: line.instance,
            sequence: line.sequence,
            target: line.target,
            message: line.message,
            order_ids: line.order_ids.iter().map(OrderId::to_string).collect(),
            request_ids: line.request_ids,
            trace_ids: line.trace_ids,
            fields: serde_json::from_str(&line.fields).unwrap_or_default(),
        }
    }
}
