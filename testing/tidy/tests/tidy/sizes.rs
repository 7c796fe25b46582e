//! A file has at most 250 lines without its tests: a longer one is about two things.

use super::sources::{Source, all, none};

const LINES_MAX: usize = 250;

/// Lines of a file without its own tests.
pub(crate) fn lines(source: &Source) -> usize {
    if source.is_test() { 0 } else { source.without_tests().lines().count() }
}

fn too_long(source: &Source) -> Option<String> {
    let lines = lines(source);
    let says = format!("{}:{lines}: {lines} lines: divide the file", source.path);
    (lines > LINES_MAX).then_some(says)
}

#[test]
fn no_file_is_too_long() {
    let found: Vec<_> = all("rs").into_iter().filter_map(too_long).collect();
    none(&format!("a file has at most {LINES_MAX} lines without its tests"), &found);
}

#[test]
fn a_long_file_is_found_and_tests_do_not_count() {
    let text = "one\ntwo\n\n#[cfg(test)]\nmod tests {\n}\n";
    assert_eq!(lines(&Source::new("common/amqp/src/a.rs", text)), 3);
    assert_eq!(lines(&Source::new("common/amqp/src/a/tests.rs", text)), 0);
    assert_eq!(lines(&Source::new("db/tests/orders.rs", text)), 0);
    let long = Source::new("db/src/a.rs", &"// a\n".repeat(LINES_MAX + 1));
    assert_eq!(too_long(&long).unwrap(), "db/src/a.rs:251: 251 lines: divide the file");
}
