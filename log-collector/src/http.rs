//! `GET /logs`: lines, oldest first, a page at a time.

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use db::Db;
use db::logs::{self, Entry};
use domain::OrderId;
use serde::Serialize;
use serde_json::Value;
use service::{HttpMetrics, count_requests};
use telemetry::metrics::Metrics;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::problem::Problem;
use crate::query;

/// As in a log line. Times come from PostgreSQL in UTC.
const MICROSECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// The route `/logs`.
pub(crate) fn routes(
    db: Db,
    metrics: &Metrics,
) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let (db, counts) = (Data::new(db), Data::new(HttpMetrics::new(metrics)));
    move |routes: &mut ServiceConfig| {
        let logs = web::resource("/logs").wrap(from_fn(count_requests)).route(web::get().to(page));
        routes.app_data(db.clone()).app_data(counts.clone()).service(logs);
    }
}

async fn page(db: Data<Db>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let parameters = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let parameters = parameters.map_err(|_| Problem::unreadable_query())?;
    let mut query = query::read(&parameters)?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    // One more than was asked for: its being there says that there is another page.
    query.limit += 1;
    let mut lines = logs::read(&db, &query).await?;
    let more = lines.len() > limit;
    lines.truncate(limit);
    let last = lines.last().filter(|_| more);
    let next_cursor =
        last.map(|line| query::cursor_of((line.logged_at, &line.instance, line.sequence)));
    Ok(HttpResponse::Ok()
        .json(Page { data: lines.into_iter().map(LineView::from).collect(), next_cursor }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<LineView>,
    /// The cursor of the next page; null on the last one.
    next_cursor: Option<String>,
}

/// A line as it is told.
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
    /// Everything else that stood in it.
    fields: Value,
}

impl From<Entry> for LineView {
    fn from(line: Entry) -> LineView {
        LineView {
            time: line.logged_at.format(MICROSECONDS).unwrap_or_default(),
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
