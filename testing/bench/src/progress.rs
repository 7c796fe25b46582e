//! Progress on the terminal.

use std::io::Write;

/// Prints one line. A closed standard output does not stop the benchmark.
pub(super) fn say(text: &str) {
    writeln!(std::io::stdout(), "{text}").ok();
}
