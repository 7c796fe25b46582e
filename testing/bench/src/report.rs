//! What a person reads, and what a program reads.

mod bars;
mod curves;
mod page;
mod screen;
mod shares;

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;

use super::figure::Findings;
use super::machine::Facts;
use super::plan::Plan;

/// Everything about one run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// When, by PostgreSQL's clock, as in `20261120T083000Z`.
    pub(super) taken_at: String,
    /// How long it took.
    pub(super) minutes: f64,
    /// What was asked for.
    pub(super) plan: Plan,
    /// On what.
    pub(super) facts: Facts,
    /// What came out.
    #[serde(flatten)]
    pub(super) findings: Findings,
}

impl Report {
    /// For the terminal.
    pub(super) fn table(&self) -> String {
        screen::of(self)
    }

    /// Writes `<time>.json`, `latest.json` and `latest.html` into the directory `bench` beside the
    /// one of the profile, which is `target/bench` mostly. Returns where they are.
    ///
    /// # Errors
    /// If they can't be written.
    pub(super) fn write(&self) -> Result<Vec<PathBuf>> {
        let running = std::env::current_exe()?;
        let target = running.ancestors().nth(2).context("where is the target directory?")?;
        let dir = target.join("bench");
        std::fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
        let json = serde_json::to_string_pretty(self)? + "\n";
        let files = [
            (format!("{}.json", self.taken_at), json.clone()),
            ("latest.json".to_owned(), json),
            ("latest.html".to_owned(), page::of(self)),
        ];
        let mut written = Vec::new();
        for (name, text) in files {
            let path = dir.join(name);
            std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
            written.push(path);
        }
        Ok(written)
    }

    /// The chapters in which figures stand, in order.
    fn chapters(&self) -> Vec<&'static str> {
        let mut chapters: Vec<&'static str> = Vec::new();
        for figure in &self.findings.figures {
            if !chapters.contains(&figure.chapter) {
                chapters.push(figure.chapter);
            }
        }
        chapters
    }

    /// How many targets are met, and how many there are.
    fn score(&self) -> (usize, usize) {
        let verdicts = || self.findings.figures.iter().filter_map(|figure| figure.met);
        (verdicts().filter(|met| *met).count(), verdicts().count())
    }
}
