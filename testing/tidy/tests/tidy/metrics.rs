//! docs/telemetry.md lists the metrics that the processes have: with their types and labels.

use std::collections::BTreeSet;

use testkit::binaries::workspace;

use super::code::strings;
use super::sources::{none, product};

/// What a unit test of `common` holds against what is really exposed.
const PROMISED: &str = "common/src/runtime/metrics/promised.txt";
/// Where all names are put down.
const ROOM: &str = "common/src/runtime/metrics";

fn read(path: &str) -> String {
    std::fs::read_to_string(workspace().join(path)).unwrap()
}

/// What stands between backticks.
fn coded(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The labels of a row: each begins a part of the cell; behind a colon stand its values.
fn labels(cell: &str) -> BTreeSet<String> {
    let parts = cell.split(';').flat_map(|part| {
        let names = part.split(':').next().unwrap_or_default();
        coded(names)
    });
    parts.filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_')).collect()
}

fn line(kind: &str, name: &str, labels: &BTreeSet<String>) -> String {
    let labels = labels.iter().cloned().collect::<Vec<_>>().join(",");
    format!("{kind} {name} {labels}").trim_end().to_owned()
}

/// The rows of the table under `## Metrics`, written as in [`PROMISED`].
fn listed(paper: &str) -> Vec<String> {
    let below = paper.lines().skip_while(|line| *line != "## Metrics").skip(1);
    let section = below.take_while(|line| !line.starts_with("## "));
    let rows = section.filter_map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [name, kind, unit, of, means, place] = cells[..] else { return None };
        let name = coded(name).into_iter().next()?;
        assert!([unit, means, place].iter().all(|cell| !cell.trim().is_empty()), "{row}");
        Some(line(kind, &name, &labels(of)))
    });
    rows.collect()
}

#[test]
fn telemetry_md_lists_every_metric_with_its_type_and_labels() {
    let listed = listed(&read("docs/telemetry.md"));
    let promised: BTreeSet<String> = read(PROMISED).lines().map(str::to_owned).collect();
    assert!(promised.len() > 40, "only {promised:?}");
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(once.len(), listed.len(), "a row stands there twice");
    let missing = promised.difference(&once).map(|line| format!("not listed: {line}"));
    let more = once.difference(&promised).map(|line| format!("listed and not there: {line}"));
    let found: Vec<String> = missing.chain(more).collect();
    none("docs/telemetry.md lists every metric as it is", &found);
}

/// A family without a series is not exposed yet: so the names in the code count, too.
#[test]
fn every_name_in_the_code_is_promised() {
    let promised = read(PROMISED);
    let promised: BTreeSet<&str> =
        promised.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    let mut rooms = product();
    rooms.retain(|source| source.path.starts_with(ROOM) && !source.path.ends_with("tests.rs"));
    let beginnings = ["ordermill_", "process_", "db_client_", "http_server_", "messaging_"];
    let names = rooms.iter().flat_map(|source| {
        let names = strings(&source.text).into_iter();
        let names = names.filter(|(_, s)| beginnings.iter().any(|word| s.starts_with(word)));
        names.map(|(line, name)| (format!("{}:{line}", source.path), name))
    });
    let (mut found, mut seen) = (Vec::new(), 0);
    for (at, name) in names {
        seen += 1;
        if !promised.contains(name.as_str()) {
            found.push(format!("{at}: {name} is not in {PROMISED}"));
        }
    }
    assert_eq!(seen, promised.len(), "a name stands twice in the code, or not at all");
    none("every name is promised", &found);
}

#[test]
fn a_row_is_read() {
    let paper = "## Metrics\n\n| name | type | unit | labels | what | where |\n|---|---|---|---|---|---|\n\
                 | `a_total` | counter | s | `x`; `y`: `one`, `two` (a word); `z`: as in `/w` | m | all |\n\
                 | `b` | gauge | – | – | m | all |\n## Next\n| `c` | gauge | – | – | m | all |\n";
    assert_eq!(listed(paper), ["counter a_total x,y,z", "gauge b"]);
}
