//! Every alert states an action and links to a section of the runbook.

use std::collections::BTreeSet;

use testkit::binaries::workspace;
use testkit::eventually;
use testkit::monitoring::{Prometheus, Rule, shipped};

use crate::journeys::ledger::LONG;

/// The heading above the alerts' sections.
const RUNBOOKS: &str = "## When an alert comes";

fn runbooks() -> String {
    std::fs::read_to_string(workspace().join("docs/operations.md")).unwrap()
}

/// The headings one level below [`RUNBOOKS`].
fn sections(paper: &str) -> BTreeSet<String> {
    let below = paper.lines().skip_while(|line| *line != RUNBOOKS).skip(1);
    let lines = below.take_while(|line| !line.starts_with("## "));
    lines.filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect()
}

/// The faults of an alert's definition.
fn faults(alert: &Rule) -> Vec<String> {
    let mut found = Vec::new();
    let severity = alert.labels.get("severity").map(String::as_str);
    if !matches!(severity, Some("critical" | "warning")) {
        found.push(format!("{}: severity {severity:?}", alert.name));
    }
    for name in ["summary", "description"] {
        if alert.annotations.get(name).is_none_or(|text| text.trim().len() < 15) {
            found.push(format!("{}: no {name}", alert.name));
        }
    }
    let wanted = format!("{{{{ $externalLabels.runbooks }}}}#{}", alert.name.to_lowercase());
    if alert.annotations.get("runbook_url") != Some(&wanted) {
        found.push(format!("{}: its runbook_url is not {wanted}", alert.name));
    }
    found
}

/// A heading becomes an anchor in lower case, so an alert's link ends with its name in lower case.
#[tokio::test]
async fn every_alert_has_a_section_of_its_own_and_every_section_an_alert() {
    let prometheus = Prometheus::alone().await;

    let rules = prometheus.rules().await.unwrap();

    let alerts: Vec<_> = rules.iter().filter(|rule| rule.kind == "alerting").collect();
    let faults: Vec<_> = alerts.iter().flat_map(|alert| faults(alert)).collect();
    assert_eq!(faults, [""; 0]);
    let names: BTreeSet<_> = alerts.iter().map(|alert| alert.name.clone()).collect();
    assert!(names.len() > 10, "{names:?}");
    assert_eq!(sections(&runbooks()), names, "sections of docs/operations.md and alerts");
}

/// Each alert has a case in which it fires, and one in which it does not.
#[tokio::test]
async fn every_alert_is_tested_both_ways() {
    let prometheus = Prometheus::alone().await;
    let mut cases = String::new();
    for entry in std::fs::read_dir(shipped().join("prometheus/tests")).unwrap() {
        cases.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    let cases: Vec<_> = cases.split("- eval_time:").skip(1).collect();

    let rules = prometheus.rules().await.unwrap();

    for alert in rules.iter().filter(|rule| rule.kind == "alerting") {
        let name = format!("alertname: {}\n", alert.name);
        let (silent, loud): (Vec<&&str>, Vec<&&str>) = cases
            .iter()
            .filter(|case| case.contains(&name))
            .partition(|case| case.contains("exp_alerts: []"));
        assert!(!silent.is_empty(), "no test in which {} does not come", alert.name);
        assert!(!loud.is_empty(), "no test in which {} comes", alert.name);
    }
}

#[tokio::test]
async fn every_rule_can_be_evaluated() {
    let prometheus = Prometheus::alone().await;
    eventually("every rule to have been evaluated", LONG, async || {
        let rules = prometheus.rules().await.unwrap();
        let left: Vec<_> = rules.into_iter().filter(|rule| rule.health != "ok").collect();
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
}
