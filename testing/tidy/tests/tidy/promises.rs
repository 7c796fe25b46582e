//! The tests that docs/reliability.md names for the promises exist, and every promise has one.

use std::collections::BTreeMap;

use super::sources::{Source, all, none, read};

const PAPER: &str = "docs/reliability.md";
const JOURNEYS: &str = "testing/journeys/tests/journeys";

/// The names between backticks in the rows `| P1 | … |`, by promise.
fn named(paper: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for line in paper.lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [promise, .., tests] = cells[..] else { continue };
        let number = promise.trim_start_matches("| ");
        if number.strip_prefix('P').is_some_and(|n| n.parse::<u8>().is_ok()) {
            let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned);
            found.insert(number.to_owned(), tests.collect());
        }
    }
    found
}

fn exists(test: &str, sources: &[&Source]) -> bool {
    let Some((file, name)) = test.split_once("::") else { return false };
    let path = format!("{JOURNEYS}/{file}.rs");
    let declared = format!("fn {name}(");
    sources.iter().any(|source| source.path == path && source.text.contains(&declared))
}

#[test]
fn every_promise_is_held_by_tests_that_exist() {
    let (named, sources) = (named(&read(PAPER)), all("rs"));
    let mut found = Vec::new();
    for promise in (1..=10).map(|n| format!("P{n}")) {
        match named.get(&promise).map(Vec::as_slice) {
            None | Some([]) => found.push(format!("{promise} names no test")),
            Some(tests) => {
                let missing = tests.iter().filter(|test| !exists(test, &sources));
                found.extend(missing.map(|test| format!("{promise}: there is no test `{test}`")));
            }
        }
    }
    none(&format!("every promise is held by tests ({PAPER})"), &found);
}

#[test]
fn a_test_that_is_gone_is_found() {
    let paper =
        "| P1 | A `201`, kept. | `a::b`<br>`c::d` |\n| P2 | No test. | TODO |\n| X | y | `z` |";
    let named = named(paper);
    assert_eq!(named["P1"], ["a::b", "c::d"]);
    assert_eq!(named["P2"], [""; 0]);
    assert_eq!(named.len(), 2);
    let source = Source::new(&format!("{JOURNEYS}/a.rs"), "async fn b() {}");
    assert!(exists("a::b", &[&source]));
    assert!(!exists("c::d", &[&source]) && !exists("a::d", &[&source]));
}
