//! The numbers behind the rules: `cargo test -p tidy counts -- --nocapture` prints them, and
//! `TIDY_ROOT` names another checkout to count.

use std::collections::BTreeMap;

use super::circles::OfParents;
use super::sources::{Source, all, crate_of, crates, product};
use super::{circles, doc_comments, functions, papers, sizes, vocabulary};

/// Rows of a table that is cut.
const ROWS_MAX: usize = 15;

type Sources = fn() -> Vec<&'static Source>;
type Rule = fn(&'static Source) -> Vec<String>;

fn rust() -> Vec<&'static Source> {
    all("rs")
}

/// The rules that look at one file at a time.
const RULES: &[(&str, Sources, Rule)] = &[
    ("doc comments that open with a wh-word", rust, doc_comments::violations),
    ("words for no one in particular", vocabulary::read_by_people, vocabulary::no_one),
    ("retired words in prose", vocabulary::read_by_people, vocabulary::retired_prose),
    ("retired identifiers", rust, vocabulary::retired_identifiers),
    ("retired public names", vocabulary::read_by_people, vocabulary::retired_public_names),
    ("tuple parameters", rust, functions::tuples),
    ("functions over 60 lines", rust, functions::long),
];

fn print(table: &str, rows: impl IntoIterator<Item = (String, usize)>) {
    println!("\n{table}");
    for (name, count) in rows {
        println!("{count:>8}  {name}");
    }
}

/// The violations of each rule, and the files with the most of them.
fn print_violations() {
    let mut rows: Vec<(String, Vec<String>)> = RULES
        .iter()
        .map(|(name, sources, rule)| {
            ((*name).to_owned(), sources().into_iter().flat_map(rule).collect())
        })
        .collect();
    for (name, of_parents) in [
        ("import circles", OfParents::Count),
        ("import circles without imports of a parent", OfParents::Ignore),
    ] {
        rows.push((name.to_owned(), circles::circles(&circles::sources(), of_parents)));
    }
    print("violations", rows.iter().map(|(name, found)| (name.clone(), found.len())));
    for (name, found) in rows.iter().filter(|(_, found)| !found.is_empty()) {
        let mut files: BTreeMap<&str, usize> = BTreeMap::new();
        for violation in found {
            *files.entry(violation.split(':').next().unwrap_or_default()).or_default() += 1;
        }
        print(name, most(files));
    }
}

/// The largest counts, largest first.
fn most<'a>(counts: impl IntoIterator<Item = (&'a str, usize)>) -> Vec<(String, usize)> {
    let mut rows: Vec<_> = counts.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    rows.truncate(ROWS_MAX);
    rows
}

fn print_first_words() {
    let words: Vec<String> =
        all("rs").into_iter().flat_map(doc_comments::first_words).map(|(_, word)| word).collect();
    let wh = words.iter().filter(|word| doc_comments::is_wh_word(word)).count();
    println!("\n{wh} of {} doc comments open with a wh-word", words.len());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in &words {
        *counts.entry(word).or_default() += 1;
    }
    print("doc comments by first word", most(counts));
}

/// Lines without tests, of the product and of the crates for tests.
fn print_lines() {
    let crates = crates();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for source in all("rs").into_iter().filter(|source| source.path.contains("/src/")) {
        let dir = crate_of(&source.path, &crates).map_or("", |own| own.dir.as_str());
        *lines.entry(dir).or_default() += sizes::lines(source);
    }
    let sum = product().into_iter().map(sizes::lines).sum();
    print("lines without tests", lines.into_iter().map(|(dir, n)| (dir.to_owned(), n)));
    print("", [("product".to_owned(), sum)]);
}

#[test]
fn counts() {
    print_violations();
    print_first_words();
    print_lines();
    let words = |paper: &Source| (paper.path.clone(), papers::words(&paper.text));
    print("words in papers", all("md").into_iter().map(words));
}
