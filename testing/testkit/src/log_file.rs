//! The log files of started processes: read by tests, and printed at a failure.

use std::fs::{File, OpenOptions};
use std::path::Path;

use anyhow::{Context, Result};

/// Opens a log for appending, so that a restarted process continues the same file.
pub fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("open the log {}", path.display()))
}

/// The whole text; empty if the file does not exist.
pub fn text(path: &Path) -> String {
    std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// The last lines, indented, for an error message.
pub fn tail(path: &Path, lines_max: usize) -> String {
    let text = text(path);
    let lines: Vec<&str> = text.lines().rev().take(lines_max).collect();
    let shown: String = lines.iter().rev().map(|line| format!("    {line}\n")).collect();
    format!("the end of {}:\n{shown}", path.display())
}
