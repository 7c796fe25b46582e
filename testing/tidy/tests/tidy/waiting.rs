//! Tests run, all of them, and wait for conditions, never for an amount of time: for that there is
//! `testkit::eventually`.

use super::code::{blanked, paths};
use super::sources::{none, tests};

/// What has no place in a test, and why.
const BANNED: [(&str, &str); 3] = [
    ("todo!", "finish it"),
    ("unimplemented!", "finish it"),
    (".sleep(", "wait for a condition (testkit::eventually)"),
];

/// How a test is marked that is no test: another test runs it as a process of its own.
const STARTED: &str = "#[ignore = \"started by ";

fn violations(path: &str, text: &str) -> Vec<String> {
    let code = blanked(text);
    let ignored = (1..).zip(code.lines().zip(text.lines())).filter(|(_, (code, line))| {
        code.contains("#[ignore") && !line.trim_start().starts_with(STARTED)
    });
    let ignored = ignored.map(|(number, _)| {
        format!("{path}:{number}: `#[ignore]`: a test that does not run proves nothing")
    });
    let lines = (1..).zip(code.lines());
    let banned = lines.flat_map(|(number, line)| {
        let hits = BANNED.iter().filter(move |(word, _)| line.contains(word));
        hits.map(move |(word, why)| format!("{path}:{number}: `{word}`: {why}"))
    });
    let sleeps = paths(text).into_iter().filter(|named| {
        named.path.last().is_some_and(|name| name == "sleep" || name == "sleep_until")
    });
    let sleeps = sleeps.map(|named| {
        let sleep = named.path.join("::");
        format!("{path}:{}: `{sleep}`: wait for a condition (testkit::eventually)", named.line)
    });
    ignored.chain(banned).chain(sleeps).collect()
}

#[test]
fn tests_run_and_wait_for_conditions() {
    let found: Vec<_> = tests().iter().flat_map(|s| violations(&s.path, &s.text)).collect();
    none("no ignored or unfinished tests, no sleeping in tests", &found);
}

#[test]
fn what_has_no_place_in_a_test_is_found() {
    for bad in [
        "#[ignore]\nfn a() {}",
        "fn a() { todo!() }",
        "std::thread::sleep(PAUSE);",
        "use tokio::time::{self, sleep};",
        "tokio::time::sleep(PAUSE).await;",
        "time::sleep_until(then).await",
    ] {
        assert_eq!(violations("x/tests/a.rs", bad).len(), 1, "{bad}");
    }
    for good in ["// no todo! here\nlet a = \"#[ignore]\";", "#[ignore = \"started by another\"]"] {
        assert_eq!(violations("x/tests/a.rs", good), [""; 0], "{good}");
    }
}
