//! docs/metrics.md is the list of metrics, made from their declarations. `UPDATE=1` writes it.

mod blocks;
mod declared;
mod page;

use std::collections::BTreeSet;

use testkit::binaries::workspace;

use super::sources::{Source, every, none, product, read};
use declared::{Kind, Metric, declared};

const PAGE: &str = "docs/metrics.md";
/// Beginnings of names: Ordermill's own, those of Prometheus' clients, those of OpenTelemetry.
const BEGINNINGS: [&str; 5] =
    ["ordermill_", "process_", "db_client_", "http_server_", "messaging_"];
/// Words that begin like a metric: a role of the database.
const NO_METRICS: [&str; 1] = ["ordermill_auditor"];
/// Endings of the series of a histogram.
const SERIES: [&str; 3] = ["_bucket", "_sum", "_count"];

fn every_metric() -> Vec<Metric> {
    let mut metrics: Vec<Metric> =
        product().into_iter().filter(|source| !source.is_test()).flat_map(declared).collect();
    assert!(metrics.len() > 40, "only {metrics:?}");
    metrics.sort_by(|a, b| a.name.cmp(&b.name));
    metrics
}

#[test]
fn the_page_lists_the_metrics_as_they_are_declared() {
    let page = page::page(&every_metric());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(workspace().join(PAGE), &page).unwrap();
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<String>>();
    let (wanted, written) = (lines(&page), lines(&read(PAGE)));
    let missing = wanted.difference(&written).map(|line| format!("{PAGE}: missing: {line}"));
    let more = written.difference(&wanted).map(|line| format!("{PAGE}: no longer: {line}"));
    let found: Vec<String> = missing.chain(more).collect();
    none("run `UPDATE=1 cargo test -p tidy metrics` and look at the difference", &found);
    assert_eq!(read(PAGE), page, "run `UPDATE=1 cargo test -p tidy metrics`");
}

/// Names and help texts that break a convention.
fn faulty(metrics: &[Metric]) -> Vec<String> {
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    for metric in metrics {
        let name = metric.name.as_str();
        let mut report = |what: &str| found.push(format!("{}: `{name}`: {what}", metric.place()));
        if !names.insert(name) {
            report("declared twice");
        }
        if !BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
            report("begin the name with ordermill_");
        }
        if name.ends_with("_total") != (metric.kind == Kind::Counter) {
            report("a counter ends in _total, and nothing else does");
        }
        if metric.help.is_empty() || metric.help.ends_with('.') {
            report("the doc comment is the help text, without a full stop at its end");
        }
    }
    found
}

#[test]
fn names_and_help_texts_follow_the_conventions() {
    none("metrics have conventional names", &faulty(&every_metric()));
}

/// Names of metrics in a paper or a rule that no declaration has.
fn undeclared(source: &Source, metrics: &[Metric]) -> Vec<String> {
    let mut found = Vec::new();
    for (line, text) in (1..).zip(source.text.lines()) {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for word in words.filter(|word| word.starts_with("ordermill_")) {
            let mut names = SERIES.iter().filter_map(|ending| word.strip_suffix(ending));
            let known = |word: &str| metrics.iter().any(|metric| metric.name == word);
            // A word that ends in `_` is a pattern: `ordermill_audit_*`.
            let is_other = word.ends_with('_') || NO_METRICS.contains(&word);
            if !is_other && !known(word) && !names.any(known) {
                found.push(format!("{}:{line}: `{word}` is not declared", source.path));
            }
        }
    }
    found
}

#[test]
fn papers_and_dashboards_name_metrics_that_are_declared() {
    let metrics = every_metric();
    let rooms = ["docs/", "deploy/", "README.md", "setup.md", "CONTRIBUTING.md"];
    let papers = every().iter().filter(|source| rooms.iter().any(|r| source.path.starts_with(r)));
    let found: Vec<_> = papers.flat_map(|source| undeclared(source, &metrics)).collect();
    none("papers, rules and dashboards name metrics that exist", &found);
}

const SAMPLE: &str = r#"
telemetry::metrics! {
    /// Metrics of the mill.
    pub(crate) struct MillMetrics {
        /// Sacks that were
        /// ground
        pub(crate) ground: Counter = "ordermill_ground_total",
        /// Stones
        stones: Family<StoneLabels, Gauge> = "ordermill_stones",
        /// Time
        times: Times = "ordermill_time_seconds" from Times::new(buckets),
        /// Sacks by fate
        sacks: Sacks = "ordermill_sacks_total",
    }
}
struct StoneLabels {
    /// `upper` or `lower`
    place: &'static str,
    kind: u8,
}
counters_by! {
    /// Sacks.
    struct Sacks by "fate" {
        /// The sack was sold.
        sold = "sold",
        /// `NULL`.
        lost = "lost",
    }
}
impl Instrument for Times {
    type Exposed = Histograms<Labels<2>>;
}
fn times() { x.get(&[("mill", mill), ("day", "monday")]); y.get(&[("other", "one")]); }
"#;

#[test]
fn a_declaration_is_read() {
    let metrics = declared(&Source::new("mill/src/metrics.rs", SAMPLE));
    let rows: Vec<_> = metrics.iter().map(page::row).collect();
    let declared = "[mill](../mill/src/metrics.rs)";
    assert_eq!(
        rows,
        [
            format!(
                "| `ordermill_ground_total` | counter | – | Sacks that were ground | {declared} |"
            ),
            format!(
                "| `ordermill_stones` | gauge | `place`: `upper` or `lower`; `kind` | Stones | \
                 {declared} |"
            ),
            format!("| `ordermill_time_seconds` | histogram | `mill`; `day` | Time | {declared} |"),
            format!(
                "| `ordermill_sacks_total` | counter | `fate`: `sold` (the sack was sold), `lost` \
                 (`NULL`) | Sacks by fate | {declared} |"
            ),
        ]
    );
    assert_eq!(metrics.iter().map(|metric| metric.line).collect::<Vec<_>>(), [7, 9, 11, 13]);
    assert_eq!(faulty(&metrics), [""; 0]);
}

#[test]
fn a_fault_in_a_declaration_is_found() {
    let text = SAMPLE.replace("ordermill_stones", "stones_total").replace("/// Time", "/// Time.");
    let found = faulty(&declared(&Source::new("mill/src/metrics.rs", &text)));
    let lines: Vec<_> = found.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(
        lines,
        ["mill/src/metrics.rs:9", "mill/src/metrics.rs:9", "mill/src/metrics.rs:11"],
        "{found:?}"
    );
    let metrics = declared(&Source::new("mill/src/metrics.rs", SAMPLE));
    let paper = "ordermill_*\n`ordermill_stones`, ordermill_time_seconds_bucket, ordermill_gone";
    let found = undeclared(&Source::new("docs/a.md", paper), &metrics);
    assert_eq!(found, ["docs/a.md:2: `ordermill_gone` is not declared"]);
}
