//! The words of docs/glossary.md are used, and the words that they replaced are not.

mod retired;

use super::rust::{Comment, comments, is_word, strings, tokens};
use super::sources::{Source, all, every, none};
use super::statements::is_sql;
use retired::{Retired, retired};

/// Stand-ins for a component that the sentence does not name.
const NO_ONE: [&str; 4] = ["nobody", "somebody", "whoever", "whatever"];
/// Retired words of prose, and the words to write instead.
const RETIRED_PROSE: [(&str, &str); 12] = [
    ("station", "stage"),
    ("stations", "stages"),
    ("parked", "dead-lettered"),
    ("in hand", "in flight, or unacked"),
    ("books", "ledger, or tables"),
    ("desk", "the dead-letter lock, or the delivery processor"),
    ("desks", "the dead-letter lock, or the delivery processor"),
    ("whisper", "log at debug"),
    ("whispers", "logs at debug"),
    ("whispered", "logged at debug"),
    ("lookout", "queue inspector"),
    ("lookouts", "queue inspectors"),
];
/// Identifiers of public names that stay as they are: the event `parked`, the field `parkedAt`.
const PUBLIC: [&str; 2] = ["Parked", "parked_at"];
/// Public names that were replaced: problem types, timeline events and metrics.
const RETIRED_PUBLIC: [(&str, &str); 10] = [
    ("desk-taken", "dead-letters-locked"),
    ("letter-stays", "replay-not-confirmed"),
    ("key-in-flight", "idempotency-key-in-use"),
    ("\"taken_again\"", "payment_resumed"),
    ("\"asked_again\"", "payment_rerequested"),
    ("ordermill_station_", "ordermill_stage_"),
    ("_messages_in_hand", "_messages_unacked"),
    ("_parked_total", "_dead_lettered_total"),
    ("_looks_total", "_queue_inspections_total"),
    ("_crowded_out_total", "_findings_dropped_total"),
];

/// Texts that people read or edit. Applied migrations stay byte for byte as they are: refinery
/// keeps a checksum of each.
fn papers() -> Vec<&'static Source> {
    let other = |source: &&Source| {
        !source.path.ends_with(".rs") && !source.path.starts_with("db/migrations/")
    };
    every().iter().filter(other).collect()
}

fn report(source: &Source, line: usize, word: &str, instead: &str) -> String {
    format!("{}:{line}: `{word}`: {instead}", source.path)
}

/// Words for no one in particular, in code, comments and papers, tests excepted.
pub(crate) fn no_one(source: &Source) -> Vec<String> {
    // The changelog quotes old titles.
    if source.is_test() || source.is_rule() || source.path == "CHANGELOG.md" {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (line, text) in (1..).zip(source.without_tests().lines()) {
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            // "nobody" is also the name of a system user.
            let is_user = text.contains("\"nobody\"");
            if NO_ONE.contains(&&*word.to_lowercase()) && !is_user {
                found.push(report(source, line, word, "name the component"));
            }
        }
    }
    found
}

/// Retired words in comments and sentences of a Rust file, or in the prose of a paper.
pub(crate) fn retired_prose(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (line, text) in prose(source) {
        let text = outside_of_backticks(&text).to_lowercase();
        let words: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).collect();
        for (word, instead) in RETIRED_PROSE {
            let parts: Vec<&str> = word.split(' ').collect();
            let hits = words.windows(parts.len()).filter(|window| *window == parts).count();
            for _ in 0..hits {
                found.push(report(source, line, word, instead));
            }
        }
    }
    found
}

fn prose(source: &Source) -> Vec<(usize, String)> {
    if source.is_rule() || source.path == "docs/glossary.md" {
        return Vec::new();
    }
    if source.path.ends_with(".rs") {
        // A string with a space in it is a sentence.
        let sentences = strings(&source.text).into_iter();
        let sentences = sentences.filter(|(_, text)| text.contains(' ') && !is_sql(text));
        let comments = comments(&source.text).into_iter();
        return comments.map(|Comment { line, text, .. }| (line, text)).chain(sentences).collect();
    }
    let mut in_code = false;
    let lines = (1..).zip(source.text.lines());
    let lines = lines.filter(|(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    });
    lines.map(|(number, line)| (number, line.to_owned())).collect()
}

fn outside_of_backticks(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ` ")
}

/// Retired identifiers in the code of a file, and in its name.
pub(crate) fn retired_identifiers(source: &Source) -> Vec<String> {
    let of_the_file: Vec<&Retired> = retired(&source.path).collect();
    let mut found = Vec::new();
    for token in tokens(&source.text).into_iter().filter(|token| is_word(&token.text)) {
        let hit = of_the_file.iter().find(|retired| retired.is(&token.text));
        if let Some(retired) = hit.filter(|_| !PUBLIC.contains(&&*token.text)) {
            found.push(report(source, token.line, &token.text, retired.instead));
        }
    }
    let name = source.path.rsplit('/').next().unwrap_or_default();
    if ["words.rs", "told.rs", "view.rs"].contains(&name) {
        found.push(report(source, 1, name, "labels.rs, logging.rs or dto.rs"));
    }
    found
}

/// Public names that were replaced. The changelog lists both.
pub(crate) fn retired_public_names(source: &Source) -> Vec<String> {
    if source.is_rule() || source.path == "CHANGELOG.md" {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (line, text) in (1..).zip(source.text.lines()) {
        let hits = RETIRED_PUBLIC.iter().filter(|(name, _)| text.contains(name));
        found.extend(hits.map(|(name, instead)| report(source, line, name, instead)));
    }
    found
}

/// Everything that the rules about words are for.
pub(crate) fn read_by_people() -> Vec<&'static Source> {
    let mut sources = all("rs");
    sources.extend(papers());
    sources
}

#[test]
fn components_have_names() {
    let found: Vec<_> = read_by_people().into_iter().flat_map(no_one).collect();
    none(&format!("write of components, not of {NO_ONE:?}"), &found);
}

#[test]
fn retired_words_are_not_in_prose() {
    let found: Vec<_> = read_by_people().into_iter().flat_map(retired_prose).collect();
    none("docs/glossary.md has another word", &found);
}

#[test]
fn retired_identifiers_are_not_in_code() {
    let found: Vec<_> = all("rs").into_iter().flat_map(retired_identifiers).collect();
    none("docs/glossary.md has another name", &found);
}

#[test]
fn retired_public_names_are_in_the_changelog_only() {
    let found: Vec<_> = read_by_people().into_iter().flat_map(retired_public_names).collect();
    none("the public name was replaced", &found);
}

fn lines(found: &[String]) -> Vec<&str> {
    found.iter().filter_map(|line| line.split(": ").next()).collect()
}

#[test]
fn a_word_for_no_one_is_found() {
    let text = "//! For nobody.\nfn a() { b(\"Whoever\"); }\n// whatever\nfn somebody_else() {}\n\
                // everybody\n\n#[cfg(test)]\nmod tests {\n    // nobody\n}\n";
    let found = no_one(&Source::new("x/src/a.rs", text));
    assert_eq!(lines(&found), ["x/src/a.rs:1", "x/src/a.rs:2", "x/src/a.rs:3", "x/src/a.rs:4"]);
    assert_eq!(no_one(&Source::new("x/tests/a.rs", text)), [""; 0]);
    assert_eq!(no_one(&Source::new("docs/a.md", "for nobody")).len(), 1);
}

#[test]
fn a_retired_word_of_prose_is_found() {
    let text = "// A station.\nlet parked = \"parked\"; // `parked` in\n// hand\n/// Not parked.\n\
                const A: &str = \"three in hand\";\nconst B: &str = \"select parked from t\";\n";
    let found = retired_prose(&Source::new("x/src/a.rs", text));
    assert_eq!(lines(&found), ["x/src/a.rs:1", "x/src/a.rs:4", "x/src/a.rs:5"]);
    let text = "The Desk and `parked`.\n```\nparked\n```\nparkedAt, park, parked_at, un-parked\n";
    let found = retired_prose(&Source::new("docs/a.md", text));
    assert_eq!(lines(&found), ["docs/a.md:1"]);
}

#[test]
fn a_retired_identifier_is_found() {
    let text = "use a::Gather;\nfn b(c: Desk) -> D { c.parked_at() }\nmod road;\n\
                fn whisper_it() {}\n// Gather\nconst E: &str = \"Gather\";\nconst IS_PARKED: u8 = 1;\n";
    let found = retired_identifiers(&Source::new("common/amqp/src/a.rs", text));
    let lines = lines(&found);
    assert_eq!(lines.len(), 5, "{found:?}");
    assert_eq!(lines.last(), Some(&"common/amqp/src/a.rs:7"));
    assert_eq!(retired_identifiers(&Source::new("x/src/told.rs", "")).len(), 1);
    let fault = "use a::Fault;";
    assert_eq!(retired_identifiers(&Source::new("db/src/a.rs", fault)).len(), 1);
    assert_eq!(retired_identifiers(&Source::new("testing/chaos/src/a.rs", fault)), [""; 0]);
}

#[test]
fn a_retired_public_name_is_found() {
    let found = retired_public_names(&Source::new("docs/a.md", "\nordermill_station_waiting"));
    assert_eq!(lines(&found), ["docs/a.md:2"]);
}
