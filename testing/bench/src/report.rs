//! The report: text for the terminal, a page for people, JSON for programs.

mod bars;
mod curves;
mod page;
mod screen;
mod shares;

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::results::Results;

/// The report for the terminal.
pub(super) fn table(results: &Results) -> String {
    screen::of(results)
}

/// Writes `<time>.json`, `latest.json` and `latest.html` into the directory `bench` beside the
/// directory of the build profile, which is usually `target/bench`. Returns the paths.
///
/// # Errors
/// If a file can't be written.
pub(super) fn write(results: &Results) -> Result<Vec<PathBuf>> {
    let running = std::env::current_exe()?;
    let target = running.ancestors().nth(2).context("find the target directory")?;
    let dir = target.join("bench");
    std::fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
    let json = serde_json::to_string_pretty(results)? + "\n";
    let files = [
        (format!("{}.json", results.taken_at), json.clone()),
        ("latest.json".to_owned(), json),
        ("latest.html".to_owned(), page::of(results)),
    ];
    let mut written = Vec::new();
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        written.push(path);
    }
    Ok(written)
}
