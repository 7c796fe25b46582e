//! docs/telemetry.md explains every field of a log line and every attribute of a span.

use super::rust::{Token, is_word, strings, tokens};
use super::sources::{Source, none, product, read};

const PAPER: &str = "docs/telemetry.md";
const ATTRIBUTES: &str = "common/telemetry/src/trace/names.rs";
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// The fields in all log macros of a file, each with its line.
fn fields(text: &str) -> Vec<(usize, String)> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for (at, window) in tokens.windows(5).enumerate() {
        let texts: Vec<&str> = window.iter().map(|token| token.text.as_str()).collect();
        if let ["log", "::", level, "!", "("] = texts[..]
            && LEVELS.contains(&level)
        {
            found.extend(names(&tokens[at + 5..]));
        }
    }
    found
}

/// The names in front of `; "the text"`: each is behind the opening bracket or a comma.
fn names(arguments: &[Token]) -> Vec<(usize, String)> {
    let mut depth = 1;
    let mut begins = true;
    let mut found = Vec::new();
    for token in arguments {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            ";" if depth == 1 => return found,
            name if begins && is_word(name) && name != "target" => {
                found.push((token.line, name.to_owned()));
            }
            _ => {}
        }
        begins = depth == 1 && token.text == ",";
        if depth == 0 {
            break;
        }
    }
    // A macro without a semicolon has no fields: its commas separate arguments of the text.
    Vec::new()
}

/// Fields that the table does not have.
fn unexplained(source: &Source, table: &str) -> Vec<String> {
    let fields = fields(source.without_tests()).into_iter();
    let missing = fields.filter(|(_, field)| !table.contains(&format!("`{field}`")));
    let report = |(line, field)| {
        format!("{}:{line}: `{field}`: add it to the table of fields in {PAPER}", source.path)
    };
    missing.map(report).collect()
}

#[test]
fn every_field_of_a_log_line_is_explained() {
    let paper = read(PAPER);
    let table = paper.split("### Fields").nth(1).and_then(|rest| rest.split("\n### ").next());
    let table = table.unwrap();
    let seen: usize = product().iter().map(|source| fields(&source.text).len()).sum();
    assert!(seen > 20, "only {seen} fields were found");
    let missing: Vec<_> =
        product().into_iter().flat_map(|source| unexplained(source, table)).collect();
    none("every field is explained", &missing);
}

#[test]
fn every_attribute_of_a_span_is_explained() {
    let paper = read(PAPER);
    let names = strings(&read(ATTRIBUTES));
    assert!(names.len() > 10, "only {names:?}");
    let missing: Vec<String> = names
        .iter()
        .filter(|(_, name)| !paper.contains(&format!("`{name}`")))
        .map(|(line, name)| format!("{ATTRIBUTES}:{line}: `{name}`: explain it in {PAPER}"))
        .collect();
    none("every attribute is explained", &missing);
}

#[test]
fn an_unexplained_field_is_found() {
    let text = "fn a() { log::info!(target: ORDERS, one:%, two = \"x\", three; \"said {x}\");\n\
                log::warn!(four:% = it.four(a, b);\n\"said\"); log::error!(\"five; six\", x);\n\
                log::debug!(seven; \"{error}\") }";
    let names: Vec<_> = fields(text).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["one", "two", "three", "four", "seven"]);
    let found = unexplained(&Source::new("x/src/a.rs", text), "| `one`, `two` | `three` `four` |");
    assert!(found.concat().starts_with("x/src/a.rs:4: `seven`: "), "{found:?}");
    assert_eq!(found.len(), 1);
}
