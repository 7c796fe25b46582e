//! Panics as log lines. Logging is global to a process, so each case runs in a process of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::process::Command;

use telemetry::{LogFormat, start_logging};

/// Set in the process that panics.
const PANICS: &str = "PANICS";

#[test]
#[expect(clippy::disallowed_methods, reason = "a choice between processes of this test")]
fn a_process_panics() {
    if std::env::var_os(PANICS).is_none() {
        return;
    }
    start_logging(LogFormat::Json, "a-service");
    std::panic::catch_unwind(|| panic!("on purpose")).unwrap_err();
    log::logger().flush();
}

#[test]
fn a_panic_is_logged_like_any_other_line() {
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", "a_process_panics", "--nocapture"]);
    process.env_remove("RUST_LOG").env("RUST_BACKTRACE", "1").env(PANICS, "1");
    let stderr = String::from_utf8(process.output().unwrap().stderr).unwrap();
    let line: serde_json::Value = serde_json::from_str(&stderr).expect(&stderr);
    assert_eq!(line["level"], "ERROR");
    assert!(line["message"].as_str().unwrap().ends_with("on purpose"), "{stderr}");
    assert!(line["backtrace"].as_str().unwrap().contains("a_process_panics"), "{stderr}");
}
