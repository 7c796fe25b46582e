//! Tests run, all of them, and wait for conditions, never for an amount of time: for that there is
//! `testkit::eventually`.

use super::paths::paths;
use super::rust::{is_word, tokens};
use super::sources::{Source, none, tests};

const WAIT: &str = "wait for a condition (testkit::eventually)";
/// The reason of a test that another test starts as a process of its own.
const STARTED: &str = "\"started by ";

fn violations(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut report = |line: usize, what: &str, remedy: &str| {
        found.push(format!("{}:{line}: `{what}`: {remedy}", source.path));
    };
    let tokens = tokens(&source.text);
    for window in tokens.windows(4) {
        let [a, b, c, d] = [&window[0], &window[1], &window[2], &window[3]];
        match [a.text.as_str(), b.text.as_str()] {
            ["todo" | "unimplemented", "!"] => report(a.line, &a.text, "finish it"),
            [".", "sleep" | "sleep_until"] => report(b.line, &b.text, WAIT),
            ["[", "ignore"] if !(c.text == "=" && d.text.starts_with(STARTED)) => {
                report(b.line, "#[ignore]", "a test that does not run proves nothing");
            }
            _ => {}
        }
    }
    for named in paths(&source.text) {
        let last = named.path.last().filter(|name| is_word(name)).map_or("", String::as_str);
        if last == "sleep" || last == "sleep_until" {
            report(named.line, &named.path.join("::"), WAIT);
        }
    }
    found
}

#[test]
fn tests_run_and_wait_for_conditions() {
    let found: Vec<_> = tests().into_iter().flat_map(violations).collect();
    none("no ignored or unfinished tests, no sleeping in tests", &found);
}

#[test]
fn an_ignored_an_unfinished_and_a_sleeping_test_are_found() {
    let found = |text: &str| violations(&Source::new("x/tests/a.rs", text));
    for bad in [
        "#[ignore]\nfn a() {}",
        "#[ignore = \"slow\"]\nfn a() {}",
        "fn a() { todo!() }",
        "fn a() { std::thread::sleep(PAUSE); }",
        "use tokio::time::{self, sleep};",
        "fn a() { tokio::time::sleep(PAUSE).await; }",
        "fn a() { time::sleep_until(then).await }",
        "fn a() { clock.sleep(PAUSE) }",
    ] {
        assert_eq!(found(bad).len(), 1, "{bad}");
    }
    for good in [
        "// no todo! here\nconst A: &str = \"#[ignore]\";",
        "#[ignore = \"started by b\"]\nfn a() {}",
    ] {
        assert_eq!(found(good), [""; 0], "{good}");
    }
}
