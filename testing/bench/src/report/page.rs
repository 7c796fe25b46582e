//! The report as one page that needs nothing but a browser.

use super::super::figure::{Figure, Table};
use super::super::results::Results;
use super::screen::wanted;
use super::{bars, curves, shares};
use testkit::drawing::{STYLE, escaped, section};
use testkit::number::shown;

pub(super) fn of(results: &Results) -> String {
    let findings = &results.findings;
    let mut page = head(results);
    if findings.figures.iter().any(|figure| figure.target.is_some()) {
        let note = "Bars are medians as shares of their target, thin lines the spread over the \
                    rounds. At ≥ a bar should cross the line, at ≤ it should not.";
        page += &section("Figures and targets", &bars::against_targets(&findings.figures), note);
    }
    let rates: Vec<&Figure> = findings.figures.iter().filter(|figure| is_rate(figure)).collect();
    if !rates.is_empty() {
        let note = "Grey: PostgreSQL and RabbitMQ alone, on this machine.";
        page += &section("Orders a second", &bars::side_by_side(&rates, "Orders a second"), note);
    }
    if !findings.shares.is_empty() {
        let note = "The load generator is not part of the system's cost.";
        let title = "CPU seconds for 1000 settled orders";
        page += &section(title, &shares::of(&findings.shares), note);
    }
    if !findings.curves.is_empty() {
        let note = "From the moment at which each order was scheduled, over all rounds.";
        page += &section("Times at 200 orders a second", &curves::of(&findings.curves), note);
    }
    for found in &findings.tables {
        page += &section(&found.title, &table(found), &found.note);
    }
    page += &section("All figures", &figures(results), "");
    page += &section("Machine and servers", &facts(results), "");
    page + "</body></html>\n"
}

fn head(results: &Results) -> String {
    let ((met, all), minutes) = (results.score(), shown(results.minutes));
    let (at, rounds) = (escaped(&results.taken_at), results.plan.rounds);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>Ordermill: benchmark</title><style>{STYLE}</style></head><body>\n\
         <h1>Ordermill: benchmark</h1>\n<p class=\"faint\">{at}, {rounds} rounds in {minutes} \
         minutes. {met} of {all} targets are met.</p>\n"
    )
}

/// True for rates of orders; rates of messages are not comparable with them.
fn is_rate(figure: &Figure) -> bool {
    let orders = figure.unit == "/s" && !figure.name.starts_with("B:");
    orders && ["Baselines", "Throughput"].contains(&figure.chapter)
}

fn table(table: &Table) -> String {
    let cells = |row: &[String], tag: &str| -> String {
        row.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect()
    };
    let rows = table.rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row, "td")));
    let body: String = rows.collect();
    format!("<table><tr>{}</tr>\n{body}</table>", cells(&table.columns, "th"))
}

fn figures(results: &Results) -> String {
    let head = "<th></th><th>median</th><th>spread</th><th>target</th><th></th>";
    let mut body = String::new();
    for chapter in results.chapters() {
        body +=
            &format!("<tr class=\"chapter\"><td colspan=\"5\">{}</td></tr>\n", escaped(chapter));
        let of_chapter = results.findings.figures.iter().filter(|f| f.chapter == chapter);
        body += &of_chapter.map(figure).collect::<String>();
    }
    format!("<table><tr>{head}</tr>\n{body}</table>")
}

fn figure(figure: &Figure) -> String {
    let (name, median) = (escaped(&figure.name), shown(figure.median));
    let (spread, unit) = (format!("{} – {}", shown(figure.min), shown(figure.max)), figure.unit);
    let target = figure.target.map(wanted).unwrap_or_default();
    let (class, verdict) = match figure.met {
        Some(true) => ("met", "met"),
        Some(false) => ("missed", "not met"),
        None => ("", ""),
    };
    format!(
        "<tr><td>{name}</td><td>{median} {unit}</td><td>{spread}</td><td>{target}</td>\
         <td class=\"{class}\">{verdict}</td></tr>\n"
    )
}

fn facts(results: &Results) -> String {
    let row = |(name, fact): &(&str, String)| {
        format!("<tr><td>{}</td><td>{}</td></tr>\n", escaped(name), escaped(fact))
    };
    let rows: String = results.facts.0.iter().map(row).collect();
    format!("<table class=\"facts\">{rows}</table>")
}
