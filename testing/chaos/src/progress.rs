//! Progress on the terminal.

use std::io::Write as _;

/// Prints one line. A closed standard output does not stop the campaign.
pub(super) fn say(text: &str) {
    writeln!(std::io::stdout(), "{text}").ok();
}
