//! The dashboards' form, as far as it can be checked without Grafana. `scripts/check-dashboards`
//! compares them with Grafana's own schema.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::monitoring::shipped;

/// The schema version that Grafana 12 writes.
const SCHEMA_VERSION: u64 = 41;

/// The fields that Grafana 12 writes at the top level.
const TOP: [&str; 19] = [
    "annotations",
    "description",
    "editable",
    "fiscalYearStartMonth",
    "graphTooltip",
    "id",
    "links",
    "liveNow",
    "panels",
    "preload",
    "refresh",
    "schemaVersion",
    "tags",
    "templating",
    "time",
    "timepicker",
    "timezone",
    "title",
    "uid",
];
const COLUMNS: u64 = 24;

/// Both dashboards, by file name.
pub(super) fn all() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(shipped().join("grafana/dashboards")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        found.push((name, serde_json::from_str(&text).unwrap()));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(found.len(), 2, "the orders, and the servers");
    found
}

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().unwrap()
}

/// Every expression of a dashboard, with the title of its panel.
pub(super) fn expressions(dashboard: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for panel in panels(dashboard) {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().unwrap().to_owned();
            found.push((panel["title"].as_str().unwrap().to_owned(), expression));
        }
    }
    for annotation in dashboard["annotations"]["list"].as_array().unwrap() {
        found.extend(annotation["expr"].as_str().map(|e| ("annotations".to_owned(), e.to_owned())));
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

/// The faults of one panel.
fn faults(panel: &Value) -> Vec<&'static str> {
    let datasource = |value: &Value| {
        value["datasource"]["uid"] == "${datasource}" && value["datasource"]["type"] == "prometheus"
    };
    let mut found = Vec::new();
    let mut check = |fine: bool, what: &'static str| {
        if !fine {
            found.push(what);
        }
    };
    let says = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    check(says(&panel["title"]), "no title");
    if panel["type"] == "row" {
        check(panel["collapsed"] == false, "a collapsed row hides what is in it");
        return found;
    }
    check(says(&panel["description"]), "no description");
    check(says(&panel["fieldConfig"]["defaults"]["unit"]), "no unit");
    check(datasource(panel), "another datasource than the variable's");
    let targets = panel["targets"].as_array().cloned().unwrap_or_default();
    check(!targets.is_empty(), "no targets");
    check(targets.iter().all(|target| says(&target["expr"])), "a target without an expression");
    check(targets.iter().all(|target| says(&target["legendFormat"])), "a target without a legend");
    check(targets.iter().all(datasource), "a target with another datasource");
    let ids: BTreeSet<_> = targets.iter().filter_map(|target| target["refId"].as_str()).collect();
    check(ids.len() == targets.len(), "two targets with one refId");
    found
}

/// The cells of the grid that a panel covers.
fn cells(panel: &Value) -> Vec<(u64, u64)> {
    let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
    let (x, y, w, h) = (at("x"), at("y"), at("w"), at("h"));
    assert!(w > 0 && h > 0 && x + w <= COLUMNS, "{}", panel["title"]);
    (x..x + w).flat_map(|column| (y..y + h).map(move |line| (column, line))).collect()
}

#[test]
fn every_panel_is_whole_and_covers_no_other() {
    for (name, dashboard) in all() {
        let (mut ids, mut covered) = (BTreeSet::new(), BTreeSet::new());
        for panel in panels(&dashboard) {
            let title = &panel["title"];
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}: the id of {title} twice");
            assert_eq!(faults(panel), [""; 0], "{name}: {title}");
            for cell in cells(panel) {
                assert!(covered.insert(cell), "{name}: {title} covers another panel at {cell:?}");
            }
        }
    }
}

#[test]
fn both_are_of_grafana_12_and_lead_to_each_other() {
    let all = all();
    for (name, dashboard) in &all {
        let top: BTreeSet<_> = dashboard.as_object().unwrap().keys().map(String::as_str).collect();
        let unknown: Vec<_> = top.difference(&BTreeSet::from(TOP)).copied().collect();
        assert_eq!(unknown, [""; 0], "{name}");
        assert_eq!(dashboard["schemaVersion"].as_u64(), Some(SCHEMA_VERSION), "{name}");
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        let datasource = variables.iter().find(|variable| variable["name"] == "datasource");
        assert_eq!(datasource.unwrap()["query"], "prometheus", "{name}");
        let others = all.iter().filter(|(other, _)| other != name);
        for (other, dashboard) in others {
            let link = format!("/d/{}", dashboard["uid"].as_str().unwrap());
            assert!(all_links(name, &all).contains(&link), "{name} does not lead to {other}");
        }
    }
}

fn all_links(name: &str, all: &[(String, Value)]) -> Vec<String> {
    let (_, dashboard) = all.iter().find(|(other, _)| other == name).unwrap();
    let links = dashboard["links"].as_array().unwrap();
    links.iter().filter_map(|link| link["url"].as_str().map(str::to_owned)).collect()
}
