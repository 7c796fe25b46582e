//! Every SQL statement is in `db`, and a test runs the functions beside it.

use std::collections::BTreeSet;

use super::paths::paths;
use super::rust::strings;
use super::sources::{Source, none, product, tests};

/// Beginnings of statements.
const VERBS: [&str; 5] = ["select ", "insert into ", "update ", "delete from ", "with "];

pub(crate) fn is_sql(text: &str) -> bool {
    let text = text.trim_start().to_lowercase();
    let verb = VERBS.iter().any(|verb| text.starts_with(verb));
    let names_a_table = [" from ", " into ", " set ", " as ("]
        .iter()
        .any(|word| text.split_whitespace().collect::<Vec<_>>().join(" ").contains(word));
    verb && names_a_table
}

/// The lines at which a statement begins.
fn statements(source: &Source) -> Vec<usize> {
    let spoken = strings(&source.text).into_iter().filter(|(_, text)| is_sql(text));
    spoken.map(|(line, _)| line).collect()
}

/// The functions of `db` that a test has to call: `module::function`, with file and line.
fn to_be_run(source: &Source) -> Vec<(String, String)> {
    if statements(source).is_empty() {
        return Vec::new();
    }
    let inside = source.path.trim_start_matches("db/src/").trim_end_matches(".rs");
    // A file below a module's directory is a private part of it: its functions are the module's.
    let module = inside.split('/').next().unwrap_or(inside);
    let functions = (1..).zip(source.text.lines()).filter_map(|(number, line)| {
        let name = line.strip_prefix("pub async fn ")?.split(['(', '<']).next()?;
        Some((format!("{module}::{name}"), format!("{}:{number}", source.path)))
    });
    functions.collect()
}

/// The paths that tests name, by their last two parts.
fn named_by(tests: &[&Source]) -> BTreeSet<String> {
    let paths = tests.iter().flat_map(|source| paths(&source.text));
    let last_two = paths.filter_map(|named| match named.path.as_slice() {
        [.., module, name] => Some(format!("{module}::{name}")),
        _ => None,
    });
    last_two.collect()
}

fn of_db() -> Vec<&'static Source> {
    let mut sources = product();
    sources.retain(|source| source.path.starts_with("db/src/"));
    sources
}

#[test]
fn every_statement_is_run_by_a_test() {
    let functions: Vec<_> = of_db().into_iter().flat_map(to_be_run).collect();
    assert!(functions.len() > 15, "only {functions:?} in db");
    let mut tests = tests();
    tests.retain(|source| !source.is_rule());
    let named = named_by(&tests);
    let missing = functions.iter().filter(|(name, _)| !named.contains(name));
    let missing: Vec<_> =
        missing.map(|(name, at)| format!("{at}: no test calls `{name}`")).collect();
    none("every statement is run by a test against a real PostgreSQL", &missing);
}

#[test]
fn a_statement_has_a_public_function_in_its_file() {
    let mut alone = of_db();
    alone.retain(|source| !statements(source).is_empty() && to_be_run(source).is_empty());
    // Migrations are run by every test that has a database.
    alone.retain(|source| source.path != "db/src/migrate.rs");
    let alone: Vec<_> = alone
        .iter()
        .map(|source| format!("{}:1: no public function runs its SQL", source.path))
        .collect();
    none("a statement is right above its only function", &alone);
}

#[test]
fn statements_are_in_db_only() {
    let mut found = Vec::new();
    for source in product().iter().filter(|source| !source.path.starts_with("db/src/")) {
        let lines = statements(source);
        found.extend(lines.iter().map(|line| format!("{}:{line}: SQL outside of db", source.path)));
    }
    none("statements are in db only", &found);
}

#[test]
fn a_function_that_no_test_calls_is_found() {
    let text = "const A: &str = \"\n    with w as (select 1) insert into t select 1\";\n\n\
                pub async fn place(db: &Db) {}\nasync fn private() {}\n";
    let source = Source::new("db/src/orders/place.rs", text);
    let expected = [("orders::place".to_owned(), "db/src/orders/place.rs:4".to_owned())];
    assert_eq!(to_be_run(&source), expected);
    let named = |text: &str| named_by(&[&Source::new("db/tests/a.rs", text)]);
    for text in ["use db::orders;\nfn t() { orders::place(&db); }", "use db::orders::{get, place};"]
    {
        assert!(named(text).contains("orders::place"), "{text}");
    }
    assert!(!named("// orders::place\nuse db::orders;").contains("orders::place"));
    assert!(is_sql("\n  select id from t") && is_sql("delete from t"));
    assert!(!is_sql("update the page") && !is_sql("with care"));
}
