use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;

/// From now on panics are told as log lines: as JSON where lines are JSON, to the log store as well, and
/// without a wait for whoever reads standard error.
pub(super) fn tell_as_lines() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !log::log_enabled!(log::Level::Error) {
            return usual(info);
        }
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            log::error!(backtrace:%; "{info}");
        } else {
            log::error!("{info}");
        }
    }));
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::{LogFormat, start_logging};

    /// Runs in a process of its own: logging is the whole process's.
    #[test]
    #[ignore = "the other half of the test below"]
    fn a_process_panics() {
        start_logging(LogFormat::Json, "a-service");
        std::panic::catch_unwind(|| panic!("on purpose")).unwrap_err();
        log::logger().flush();
    }

    #[test]
    fn a_panic_is_a_line_like_all_others() {
        let name = "logging::panics::tests::a_process_panics";
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", name, "--ignored", "--nocapture"]).env_remove("RUST_LOG");
        let said = process.env("RUST_BACKTRACE", "1").output().unwrap().stderr;
        let said = String::from_utf8(said).unwrap();
        let line: serde_json::Value = serde_json::from_str(&said).expect(&said);
        assert_eq!(line["level"], "ERROR");
        assert!(line["message"].as_str().unwrap().ends_with("on purpose"), "{said}");
        assert!(line["backtrace"].as_str().unwrap().contains("a_process_panics"), "{said}");
    }
}
