//! The log files of what was started: looked into by tests, and shown when something fails.

use std::fs::{File, OpenOptions};
use std::path::Path;

use anyhow::{Context, Result};

/// Opens a log for appending, so that a restarted process adds to what the first one said.
pub fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("open the log {}", path.display()))
}

/// All of it; empty if there is none yet.
pub fn text(path: &Path) -> String {
    std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// Its last lines, indented, for an error message.
pub fn tail(path: &Path, lines_max: usize) -> String {
    let text = text(path);
    let lines: Vec<&str> = text.lines().rev().take(lines_max).collect();
    let shown: String = lines.iter().rev().map(|line| format!("    {line}\n")).collect();
    format!("the end of {}:\n{shown}", path.display())
}
