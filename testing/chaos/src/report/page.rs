//! The report as one page that needs nothing but a browser.

use super::super::campaign::Report;
use super::super::checker::{Finding, Line};
use super::super::recovery::{self, Spread};
use super::{chart, order_records};
use testkit::drawing::{STYLE, escaped, section};

/// Most findings on the page, each with the history of its order.
const FINDINGS_MAX: usize = 20;

pub(super) fn of(report: &Report) -> String {
    let mut page = head(report);
    let note = "Blue: orders that became final, amber: orders placed, per second. Shaded: a fault; \
                point at it to see its name.";
    page += &section("The campaign", &chart::of(&report.ran.evidence), note);
    let note = "acknowledged: a 201 arrived. ok: exists, and ended as its card demands. lost: \
                acknowledged and not ok. duplicated: two orders for a key, or captured twice. \
                unexpected: without a client's request. recovered: never acknowledged, but placed, \
                and ended as its card demands. not placed: never acknowledged, and does not exist.";
    page += &section("Outcome of the orders", &tally(report), note);
    let lines: String = report.verdict.lines.iter().map(|line| promise(report, line)).collect();
    let head = "<tr><th>promise</th><th></th><th>cases</th><th></th></tr>\n";
    page += &section(
        "The promises",
        &format!("<table class=\"facts promises\">{head}{lines}</table>"),
        "",
    );
    if !report.verdict.findings.is_empty() {
        page += &section("Broken promises", &findings(report), "");
    }
    let note = "Only faults without an overlapping fault. Seconds, median and worst. After it was \
                back: until the next order became final. Nothing final: the longest time in which \
                no order became final. Open charges: until the payments that had been started in \
                the second before the fault were recorded.";
    page += &section("Recovery", &recoveries(report), note);
    page += &section("Faults", &faults(report), "");
    page + "</body></html>\n"
}

fn head(report: &Report) -> String {
    let (seed, minutes) = (report.plan.seed, report.plan.lasts.as_secs_f64() / 60.0);
    let (faults, broken) = (report.ran.evidence.faults.len(), report.verdict.broken());
    let verdict = if broken.is_empty() {
        "<b class=\"met\">All promises were kept.</b>".to_owned()
    } else {
        format!("<b class=\"missed\">Broken: {}.</b>", escaped(&broken.join(", ")))
    };
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>Ordermill: chaos</title><style>{STYLE}</style></head><body>\n\
         <h1>Ordermill: chaos</h1>\n<p class=\"faint\">Seed {seed}, {minutes:.1} minutes, \
         {faults} faults, {} clients; two order-management processes, three workers, PostgreSQL, \
         RabbitMQ. Again: <code>make chaos SEED={seed} MINUTES={minutes:.0}</code></p>\n\
         <p>{verdict}</p>\n",
        report.plan.clients
    )
}

fn tally(report: &Report) -> String {
    let row = |(name, count)| format!("<tr><td>{name}</td><td>{count}</td></tr>\n");
    format!("<table class=\"narrow\">{}</table>", report.verdict.tally.rows().map(row).concat())
}

fn promise(report: &Report, line: &Line) -> String {
    let cases: Vec<String> =
        line.cases.iter().map(|(count, what)| format!("{count} {what}")).collect();
    let (class, verdict) = match report.verdict.broken_times(line.promise) {
        0 => ("met", "kept".to_owned()),
        times => ("missed", format!("broken {times} ×")),
    };
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{verdict}</td></tr>\n",
        line.promise,
        escaped(line.about),
        escaped(&cases.join(", "))
    )
}

fn findings(report: &Report) -> String {
    let all = &report.verdict.findings;
    let paragraph = |finding: &Finding| {
        let lines: Vec<String> =
            order_records::of(&report.ran, finding).iter().map(|line| escaped(line)).collect();
        let seen = escaped(&finding.seen);
        let (promise, check) = (finding.promise, finding.check);
        format!("<p><b>{promise} {check}</b>: {seen}</p><pre>{}</pre>\n", lines.join("\n"))
    };
    let shown: String = all.iter().take(FINDINGS_MAX).map(paragraph).collect();
    format!("<p>{} in all; the first {}:</p>{shown}", all.len(), all.len().min(FINDINGS_MAX))
}

fn recoveries(report: &Report) -> String {
    let cell = |s: Spread| format!("<td>{:.2}</td><td>{:.2}</td>", s.median, s.worst);
    let mut rows = String::from(
        "<tr><th>fault</th><th>times</th><th colspan=\"2\">after it was back</th>\
         <th colspan=\"2\">nothing final</th><th colspan=\"2\">open charges</th></tr>\n",
    );
    for (kind, r) in recovery::by_kind(&report.ran.evidence) {
        let cells = cell(r.first_settle) + &cell(r.standstill) + &cell(r.in_work);
        rows += &format!("<tr><td>{}</td><td>{}</td>{cells}</tr>\n", kind.name(), r.times);
    }
    format!("<table>{rows}</table>")
}

fn faults(report: &Report) -> String {
    let row = |injected: &super::super::evidence::InjectedFault| {
        let fault = escaped(&injected.fault.to_string());
        format!(
            "<tr><td>{:.1} s</td><td>{fault}</td><td>{:.1} s</td></tr>\n",
            injected.began, injected.back
        )
    };
    let rows: String = report.ran.evidence.faults.iter().map(row).collect();
    format!(
        "<table class=\"facts\"><tr><th>from</th><th>fault</th><th>back</th></tr>{rows}</table>"
    )
}
