//! Papers stay short, and a reader finds all of them.

use super::sources::{every, none, read};

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const ARCHITECTURE_WORDS_MAX: usize = 2000;
const DECISIONS: &str = "docs/decisions/";

pub(crate) fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// Decision records that the list does not link, and numbers that are not in a row.
fn unlisted(records: &[&str], list: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, record) in (1..).zip(records) {
        if !list.contains(&format!("]({record})")) {
            found.push(format!("{DECISIONS}{record}:1: add a line to {DECISIONS}README.md"));
        }
        if !record.starts_with(&format!("{number:04}-")) {
            found.push(format!("{DECISIONS}{record}:1: the next number is {number:04}"));
        }
    }
    found
}

#[test]
fn architecture_md_is_read_in_one_sitting() {
    let words = words(&read(ARCHITECTURE));
    let says = format!("{ARCHITECTURE}:1: {words} words: {ARCHITECTURE_WORDS_MAX} is the maximum");
    none(
        "move details to docs/",
        &Vec::from_iter((words > ARCHITECTURE_WORDS_MAX).then_some(says)),
    );
}

#[test]
fn every_decision_is_in_the_list() {
    let records = every().iter().filter_map(|source| source.path.strip_prefix(DECISIONS));
    let records: Vec<&str> = records.filter(|record| *record != "README.md").collect();
    assert!(records.len() > 20, "only {records:?}");
    none("every decision is listed", &unlisted(&records, &read("docs/decisions/README.md")));
}

#[test]
fn an_unlisted_decision_is_found() {
    let list = "| 0001 | [One](0001-one.md) |";
    let found = unlisted(&["0001-one.md", "0003-two.md"], list);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(unlisted(&["0001-one.md"], list), [""; 0]);
}
