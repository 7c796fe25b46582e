//! A file has at most 250 lines without its tests: past that it has two tenants.

use super::sources::{all, none};

const LINES_MAX: usize = 250;

/// How many lines of a file are not tests of its own at its end.
fn lines(path: &str, text: &str) -> usize {
    let is_test = path.ends_with("/tests.rs") || path.split('/').any(|part| part == "tests");
    if is_test { 0 } else { text.lines().take_while(|line| *line != "#[cfg(test)]").count() }
}

#[test]
fn no_file_is_too_long() {
    let too_long = |path: &str, text: &str| {
        let lines = lines(path, text);
        (lines > LINES_MAX).then(|| format!("{path}:{lines}: {lines} lines without its tests"))
    };
    let found: Vec<_> = all("rs").iter().filter_map(|s| too_long(&s.path, &s.text)).collect();
    none(&format!("a file has at most {LINES_MAX} lines: find the second tenant's name"), &found);
}

#[test]
fn tests_do_not_count() {
    let text = "one\ntwo\n\n#[cfg(test)]\nmod tests {\n}\n";
    assert_eq!(lines("common/src/a.rs", text), 3);
    assert_eq!(lines("common/src/a/tests.rs", text), 0);
    assert_eq!(lines("db/tests/orders.rs", text), 0);
}
