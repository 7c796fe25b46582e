//! Dashboards, rules and docs/metrics.md name metrics and labels that are exposed.

use std::collections::{BTreeMap, BTreeSet};

use lapin::BasicProperties;
use reqwest::Method;
use serde_json::json;
use testkit::binaries::workspace;
use testkit::eventually;
use testkit::monitoring::{Monitoring, Prometheus, Rule, Series};
use testkit::world::World;

use super::dashboards;
use super::promql::{Names, names};
use crate::journeys::ledger::LONG;

/// The series that Prometheus creates for active alerts.
const OF_PROMETHEUS: [&str; 1] = ["ALERTS"];

/// Expressions with their places.
type Asked = Vec<(String, String)>;

async fn watched_world() -> (World, Monitoring) {
    let mut world = World::builder()
        .worker_env("GATEWAY_LATENCY_MS", "0")
        .worker_env("GATEWAY_TIMEOUT_MS", "300")
        .env("LOG_EXCHANGE", "logs")
        .start()
        .await;
    world.add_auditor(&[("AUDIT_EVERY_MS", "500"), ("AUDIT_GRACE_MS", "500")]).await;
    world.add_log_collector(&[]).await;
    world.ready().await;
    let monitoring = Monitoring::of(&world).await;
    (world, monitoring)
}

/// Places orders of all kinds, so that every metric has a reason to exist.
async fn traffic(world: &World) {
    for payment_method in [
        "pm_card_visa",
        "pm_card_chargeDeclined",
        "pm_card_errorsTwice",
        "pm_card_captureThenTimeout",
        "pm_card_neverAnswers",
    ] {
        world.place_order_with(payment_method).await;
    }
    world.place(json!({"productId": "1", "quantity": 0})).await;
    world.send(world.request(Method::GET, "/nowhere")).await;
    let nothing = BasicProperties::default();
    world.publish_raw("processingorders", b"nonsense", nothing.clone()).await;
    world.publish_raw("processedorders", b"nonsense", nothing).await;
}

/// Every expression of the rules and dashboards, and every metric of docs/metrics.md.
fn asked(rules: &[Rule]) -> Asked {
    let mut asked: Asked =
        rules.iter().map(|rule| (rule.name.clone(), rule.query.clone())).collect();
    for (file, dashboard) in dashboards::all() {
        let expressions = dashboards::expressions(&dashboard).into_iter();
        asked.extend(expressions.map(|(title, text)| (format!("{file}, {title}"), text)));
    }
    let listed = listed();
    assert!(listed.len() > 40, "docs/metrics.md has only {listed:?}");
    asked.extend(listed);
    asked
}

/// The metrics of docs/metrics.md as expressions, each with its labels.
fn listed() -> Asked {
    let page = std::fs::read_to_string(workspace().join("docs/metrics.md")).unwrap();
    let expression = |row: &str| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let name = cells.first()?.strip_prefix("| `")?.strip_suffix('`')?;
        let series = if cells.get(1)? == &"histogram" { "_count" } else { "" };
        let labels = cells.get(2)?.split("; ").filter_map(label);
        let labels: Vec<String> = labels.map(|label| format!("{label}=~\".*\"")).collect();
        let text = format!("{name}{series}{{{}}}", labels.join(","));
        Some((format!("docs/metrics.md, {name}"), text))
    };
    page.lines().filter_map(expression).collect()
}

/// The name of a label that stands alone, or in front of its values.
fn label(part: &str) -> Option<&str> {
    let (name, rest) = part.strip_prefix('`')?.split_once('`')?;
    (rest.is_empty() || rest.starts_with(':')).then_some(name)
}

/// The possible labels of a recorded series: those by which its expression is grouped.
fn recorded(rules: &[Rule]) -> Series {
    let recording = rules.iter().filter(|rule| rule.kind == "recording");
    recording.map(|rule| (rule.name.clone(), names(&rule.query).grouping)).collect()
}

/// The names of an expression that do not exist.
fn vain(asked: &Names, there: &Series) -> Vec<String> {
    let mut found = Vec::new();
    let mut labels = BTreeSet::from(["le".to_owned()]);
    for selector in asked.selectors.iter().filter(|s| !OF_PROMETHEUS.contains(&&*s.name)) {
        let Some(known) = there.get(&selector.name) else {
            found.push(selector.name.clone());
            continue;
        };
        let unknown = selector.labels.difference(known);
        found.extend(unknown.map(|label| format!("{}{{{label}}}", selector.name)));
        labels.extend(known.iter().cloned());
    }
    let unknown = asked.grouping.difference(&labels);
    found.extend(unknown.map(|label| format!("by ({label})")));
    found
}

fn all_vain(asked: &Asked, there: &Series) -> BTreeMap<String, Vec<String>> {
    let found = asked.iter().map(|(place, text)| (place.clone(), vain(&names(text), there)));
    found.filter(|(_, vain)| !vain.is_empty()).collect()
}

/// Selectors whose label values match no series, such as an unknown route.
async fn empty(prometheus: &Prometheus, asked: &Asked, recorded: &Series) -> BTreeSet<String> {
    let selectors = asked.iter().flat_map(|(_, text)| names(text).selectors);
    let selectors = selectors.filter(|selector| {
        let of_prometheus = OF_PROMETHEUS.contains(&&*selector.name);
        !of_prometheus && !recorded.contains_key(&selector.name)
    });
    let mut empty = BTreeSet::new();
    for text in selectors.map(|selector| selector.text).collect::<BTreeSet<_>>() {
        if !prometheus.has(&text).await.unwrap() {
            empty.insert(text);
        }
    }
    empty
}

#[tokio::test]
async fn every_metric_that_a_dashboard_a_rule_or_the_docs_name_is_exposed() {
    let (world, monitoring) = watched_world().await;
    traffic(&world).await;
    let prometheus = &monitoring.prometheus;
    let rules = prometheus.rules().await.unwrap();
    let (asked, recorded) = (asked(&rules), recorded(&rules));

    eventually("every target to be scraped", LONG, async || {
        let silent = prometheus.silent().await.unwrap();
        if silent.is_empty() { Ok(()) } else { Err(silent) }
    })
    .await;
    eventually("every number that is named", LONG, async || {
        let mut there = prometheus.series().await.unwrap();
        there.extend(recorded.clone());
        let vain = all_vain(&asked, &there);
        if vain.is_empty() { Ok(()) } else { Err(vain) }
    })
    .await;
    eventually("something behind every selector", LONG, async || {
        let empty = empty(prometheus, &asked, &recorded).await;
        if empty.is_empty() { Ok(()) } else { Err(empty) }
    })
    .await;
}

#[test]
fn a_metric_or_label_that_no_process_has_is_found() {
    let labels = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
    let there = Series::from([
        ("a_total".to_owned(), labels(&["job", "queue"])),
        ("a:rate".to_owned(), labels(&["queue"])),
    ]);
    for (expression, wanted) in [
        ("sum by (queue) (rate(a_total{job=\"x\"}[1m])) > a:rate", ""),
        ("a_totals", "a_totals"),
        ("a_total{jobs=\"x\"}", "a_total{jobs}"),
        ("sum by (queues) (a_total)", "by (queues)"),
        ("a:rate{job=\"x\"} or vector(0)", "a:rate{job}"),
    ] {
        assert_eq!(vain(&names(expression), &there).join(" "), wanted, "{expression}");
    }
}
