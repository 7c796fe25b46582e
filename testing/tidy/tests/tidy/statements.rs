//! Every SQL statement stands in `db`, and a test runs the functions that it stands with.

use std::collections::BTreeSet;

use super::code::{paths, strings};
use super::sources::{Source, none, product, tests};

/// How a statement begins.
const VERBS: [&str; 5] = ["select ", "insert into ", "update ", "delete from ", "with "];

fn is_sql(text: &str) -> bool {
    let text = text.trim_start().to_lowercase();
    let verb = VERBS.iter().any(|verb| text.starts_with(verb));
    let names_a_table = [" from ", " into ", " set ", " as ("]
        .iter()
        .any(|word| text.split_whitespace().collect::<Vec<_>>().join(" ").contains(word));
    verb && names_a_table
}

/// The lines with a statement in them, or with one that a macro makes.
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

/// What tests name, by its last two parts.
fn named_by(tests: &[Source]) -> BTreeSet<String> {
    let paths = tests.iter().flat_map(|source| paths(&source.text));
    let last_two = paths.filter_map(|named| match named.path.as_slice() {
        [.., module, name] => Some(format!("{module}::{name}")),
        _ => None,
    });
    last_two.collect()
}

#[test]
fn every_statement_is_run_by_a_test() {
    let mut all: Vec<_> = product();
    all.retain(|source| source.path.starts_with("db/src/"));
    let functions: Vec<_> = all.iter().flat_map(to_be_run).collect();
    assert!(functions.len() > 15, "only {functions:?} in db");
    let mut tests = tests();
    tests.retain(|source| !source.path.starts_with("testkit/tests/house"));
    let named = named_by(&tests);
    let missing = functions.iter().filter(|(name, _)| !named.contains(name));
    let missing: Vec<_> =
        missing.map(|(name, at)| format!("{at}: no test calls `{name}`")).collect();
    none("every statement is run by a test against a real PostgreSQL", &missing);
}

#[test]
fn a_statement_has_a_public_function_in_its_file() {
    let mut all = product();
    all.retain(|source| source.path.starts_with("db/src/"));
    let alone = all.iter().filter(|s| !statements(s).is_empty() && to_be_run(s).is_empty());
    // The pool has none of the tables' statements, only what keeps a connection.
    let alone = alone.filter(|s| s.path != "db/src/migrate.rs");
    let alone: Vec<_> = alone.map(|s| format!("{}: nobody can run its SQL", s.path)).collect();
    none("a statement stands above its only function", &alone);
}

#[test]
fn sql_stands_in_db_only() {
    let mut found = Vec::new();
    for source in product().iter().filter(|source| !source.path.starts_with("db/src/")) {
        let lines = statements(source);
        found.extend(lines.iter().map(|line| format!("{}:{line}: SQL outside of db", source.path)));
    }
    none("SQL stands in db only", &found);
}

#[test]
fn a_function_that_no_test_calls_is_found() {
    let source = Source {
        path: "db/src/orders/place.rs".to_owned(),
        text: "const A: &str = \"\n    with w as (select 1) insert into t select 1\";\n\n\
               pub async fn place(db: &Db) {}\nasync fn private() {}\n"
            .to_owned(),
    };
    let expected = [("orders::place".to_owned(), "db/src/orders/place.rs:4".to_owned())];
    assert_eq!(to_be_run(&source), expected);
    let test = |text: &str| Source { path: "db/tests/a.rs".to_owned(), text: text.to_owned() };
    for text in ["use db::orders;\nfn t() { orders::place(&db); }", "use db::orders::{get, place};"]
    {
        assert!(named_by(&[test(text)]).contains("orders::place"), "{text}");
    }
    assert!(!named_by(&[test("// orders::place\nuse db::orders;")]).contains("orders::place"));
    assert!(is_sql("\n  select id from t") && is_sql("delete from t"));
    assert!(!is_sql("update the page") && !is_sql("with care"));
}
