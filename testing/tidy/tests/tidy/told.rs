//! docs/telemetry.md knows every field of a log line and every attribute of a span.

use testkit::binaries::workspace;

use super::sources::{none, product};

const PAPER: &str = "docs/telemetry.md";
/// The longest piece of a log macro in front of its text.
const FIELDS_MAX: usize = 400;

fn read(path: &str) -> String {
    std::fs::read_to_string(workspace().join(path)).unwrap()
}

/// The names of the fields in all log macros of a file.
fn fields(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for level in ["error", "warn", "info", "debug", "trace"] {
        for (_, rest) in text.split(&format!("log::{level}!(")).enumerate().skip(1) {
            found.extend(names(rest));
        }
    }
    found
}

/// What stands in front of `; "the text"`.
fn names(rest: &str) -> Vec<String> {
    let rest = rest.split("log::").next().unwrap_or_default();
    let rest: String = rest.chars().take(FIELDS_MAX).collect();
    let ends = rest.match_indices(';').find(|(at, _)| rest[at + 1..].trim_start().starts_with('"'));
    let Some((end, _)) = ends else { return Vec::new() };
    // A text without fields ends its macro before any semicolon.
    if rest[..end].contains("\")") || rest[..end].starts_with('"') {
        return Vec::new();
    }
    let name = |field: &str| {
        let name: String =
            field.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        name
    };
    let names = rest[..end].split(',').map(name);
    names.filter(|name| !name.is_empty() && name != "target").collect()
}

#[test]
fn every_field_of_a_log_line_is_explained() {
    let paper = read(PAPER);
    let table = paper.split("### Fields").nth(1).and_then(|rest| rest.split("\n### ").next());
    let table = table.unwrap();
    let mut missing = Vec::new();
    let mut seen = 0;
    for source in product() {
        for field in fields(&source.text) {
            seen += 1;
            if !table.contains(&format!("`{field}`")) {
                missing.push(format!("{}: `{field}` is not in the table of fields", source.path));
            }
        }
    }
    assert!(seen > 20, "only {seen} fields were found");
    none(PAPER, &missing);
}

#[test]
fn every_attribute_of_a_span_is_explained() {
    let paper = read(PAPER);
    let names = read("common/src/trace/names.rs");
    let names: Vec<&str> = names.split('"').skip(1).step_by(2).collect();
    assert!(names.len() > 10);
    let missing: Vec<String> = names
        .iter()
        .filter(|name| !paper.contains(&format!("`{name}`")))
        .map(|name| format!("{name} is not explained"))
        .collect();
    none(PAPER, &missing);
}

#[test]
fn a_field_is_found() {
    let text = r#"log::info!(target: ROAD, one:%, two = "x", three; "said {x}");
        log::warn!(four:% = it.four;
            "said"); log::error!("five; \"six\""); log::debug!(seven; "{error}")"#;
    assert_eq!(fields(text), ["four", "one", "two", "three", "seven"]);
}
