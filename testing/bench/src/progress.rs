//! What a person at the terminal sees meanwhile.

use std::io::Write;

/// One line. If nobody reads any more, that is no reason to stop.
pub(super) fn say(text: &str) {
    writeln!(std::io::stdout(), "{text}").ok();
}
