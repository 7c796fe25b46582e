//! A crate below the programs does not name a program.

use super::super::rust::{is_word, strings, tokens};
use super::super::sources::{Source, all, none};

const PROGRAMS: [&str; 6] = [
    "order-management",
    "payment-processor",
    "auditor",
    "log-collector",
    "notifier",
    "gateway-simulator",
];

/// Identifiers and strings that name a program.
fn violations(source: &Source) -> Vec<String> {
    let code = source.without_tests();
    let words = tokens(code).into_iter().filter(|token| is_word(&token.text));
    let words = words.map(|token| (token.line, token.text.replace('_', "-")));
    let mut found = Vec::new();
    for (line, text) in words.chain(strings(code)) {
        let named = PROGRAMS.iter().filter(|program| text.to_lowercase().contains(*program));
        found.extend(named.map(|program| {
            format!("{}:{line}: `{program}`: let the program pass its name", source.path)
        }));
    }
    found
}

fn libraries() -> Vec<&'static Source> {
    let mut sources = all("rs");
    sources.retain(|source| {
        let library = source.path.starts_with("common/") || source.path.starts_with("db/");
        library && !source.is_test()
    });
    sources
}

#[test]
fn no_library_names_a_program() {
    let found: Vec<_> = libraries().into_iter().flat_map(violations).collect();
    none("no crate below a program names a program", &found);
}

#[test]
fn the_name_of_a_program_is_found() {
    let text = "// auditor\nfn order_management() {}\nlet a = \"the log-collector's\";\n\
                #[cfg(test)]\nmod tests {\n    let b = \"auditor\";\n}\n";
    let found = violations(&Source::new("db/src/a.rs", text));
    let lines: Vec<_> = found.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(lines, ["db/src/a.rs:2", "db/src/a.rs:3"]);
}
