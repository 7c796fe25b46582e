//! What the auditor says over HTTP: a page, and the same as JSON.

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use tokio::sync::watch;

use crate::report::Report;

const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8>\
<meta name=viewport content='width=device-width'><meta http-equiv=refresh content=10>\
<title>Ordermill audit</title><style>\
body{font:15px/1.4 system-ui,sans-serif;margin:2rem;max-width:75rem;color:#1c1e21;background:#fff}\
table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{text-align:left;padding:.2rem .8rem .2rem 0;\
border-bottom:1px solid #ddd;vertical-align:top}code{font-size:.9em}.good{color:#0a6b2d}\
.bad{color:#b00020}@media(prefers-color-scheme:dark){body{color:#ddd;background:#16181b}\
.good{color:#6ddc8b}.bad{color:#ff7a8a}td,th{border-color:#444}}</style>";

/// The routes `/`, `/audit` and `/audit.json`.
pub(crate) fn routes(
    report: watch::Receiver<Report>,
) -> impl Fn(&mut ServiceConfig) + Clone + Send {
    move |routes| {
        routes
            .app_data(Data::new(report.clone()))
            .route("/", web::get().to(page))
            .route("/audit", web::get().to(page))
            .route("/audit.json", web::get().to(json));
    }
}

async fn page(report: Data<watch::Receiver<Report>>) -> HttpResponse {
    let html = html(&report.borrow());
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html)
}

async fn json(report: Data<watch::Receiver<Report>>) -> HttpResponse {
    let report = report.borrow().clone();
    HttpResponse::Ok().json(report)
}

fn html(report: &Report) -> String {
    let mut page = HEAD.to_owned();
    let wrong = report.violations.len();
    let (class, verdict) = match (report.as_of.is_some(), wrong) {
        (false, _) => ("bad", "Nothing has been looked at yet".to_owned()),
        (true, 0) => ("good", "The books agree".to_owned()),
        (true, wrong) => ("bad", format!("{wrong} violations")),
    };
    push(&mut page, format_args!("<h1 class={class}>{verdict}</h1>"));
    if let Some(trouble) = &report.trouble {
        push(&mut page, format_args!("<p class=bad>Cannot look: {}</p>", escaped(trouble)));
    }
    let never = || "never".to_owned();
    let (last, everything) = (report.as_of.clone(), report.everything_as_of.clone());
    push(
        &mut page,
        format_args!(
            "<p>Last round {}, last walk over everything {}. <a href=/audit.json>JSON</a>, \
             <a href=/metrics>metrics</a></p>",
            last.unwrap_or_else(never),
            everything.unwrap_or_else(never)
        ),
    );
    if wrong > 0 {
        let head =
            ["what", "order", "the shop says", "the workers say", "the gateway says", "since"];
        table(
            &mut page,
            &head,
            report.violations.iter().map(|v| {
                [v.kind, &v.order_id, &v.order, &v.payment, &v.gateway, &v.since].map(str::to_owned)
            }),
        );
    }
    table(
        &mut page,
        &["waiting", "count", "oldest"],
        report.waiting.iter().map(|w| {
            let oldest =
                w.oldest_seconds.map_or_else(String::new, |seconds| format!("{seconds} s"));
            [w.what.to_owned(), w.count.to_string(), oldest]
        }),
    );
    if !report.unfinished.is_empty() {
        table(
            &mut page,
            &["order", "age", "what it waits for"],
            report
                .unfinished
                .iter()
                .map(|o| [o.order_id.clone(), format!("{} s", o.seconds), o.why.clone()]),
        );
    }
    page
}

fn table<const N: usize>(
    page: &mut String,
    head: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    page.push_str("<table><tr>");
    for cell in head {
        push(page, format_args!("<th>{cell}"));
    }
    for row in rows {
        page.push_str("<tr>");
        for cell in row {
            push(page, format_args!("<td>{}", escaped(&cell)));
        }
    }
    page.push_str("</table>");
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string does not fail.
    page.write_fmt(text).ok();
}

/// What stands in the tables was written by others.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Violation;

    #[test]
    fn the_page_says_what_is_wrong_and_executes_nothing() {
        let mut report = Report { as_of: Some("now".to_owned()), ..Report::default() };
        assert!(html(&report).contains("The books agree"));
        report.violations.push(Violation {
            kind: "amount_differs",
            order_id: "an-id".to_owned(),
            order: "Confirmed, 1 <script>".to_owned(),
            payment: String::new(),
            gateway: String::new(),
            since: String::new(),
        });
        let page = html(&report.troubled("away".to_owned()));
        for part in ["1 violations", "amount_differs", "an-id", "1 &lt;script&gt;", "away"] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
