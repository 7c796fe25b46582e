//! What a person is shown, and what a program reads.

mod chart;
mod page;
mod story;

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;

use super::checker::{Tally, Verdict};
use super::plan::Plan;
use super::recovery;
use super::run::Ran;

/// How many broken promises are told in full.
const STORIES: usize = 5;

/// A campaign and its verdict.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was asked for.
    pub plan: Plan,
    /// What came out.
    pub verdict: Verdict,
    /// What happened.
    pub(super) ran: Ran,
}

impl Report {
    /// For the terminal.
    pub fn text(&self) -> String {
        let mut text = format!("\n{}\n\n", sum(&self.verdict.tally));
        for line in &self.verdict.lines {
            let broken = self.verdict.broken_times(line.promise);
            let verdict =
                if broken == 0 { "kept".to_owned() } else { format!("BROKEN {broken} ×") };
            let cases: Vec<String> =
                line.cases.iter().map(|(count, what)| format!("{count} {what}")).collect();
            let cases = cases.join(", ");
            text += &format!("{:<4} {verdict:<12} {}: {cases}\n", line.promise, line.about);
        }
        text +=
            &format!("\n{:<28}{:>6}  after it was back  nothing final  charges in work\n", "", "");
        text += "fault                        times   median   worst      worst            worst\n";
        for (kind, r) in recovery::by_kind(&self.ran.evidence) {
            text += &format!(
                "{:<28} {:>5} {:>7.2}s {:>6.2}s {:>9.2}s {:>15.2}s\n",
                kind.name(),
                r.times,
                r.first_settle.median,
                r.first_settle.worst,
                r.standstill.worst,
                r.in_work.worst,
            );
        }
        for finding in self.verdict.findings.iter().take(STORIES) {
            text += &format!("\n{} {}: {}\n", finding.promise, finding.check, finding.seen);
            for line in story::of(&self.ran, finding) {
                text += &format!("  {line}\n");
            }
        }
        if !self.verdict.findings.is_empty() {
            text += &format!("\nAgain: make chaos SEED={}\n", self.plan.seed);
        }
        text
    }

    /// Writes `latest.html`, and `latest.json` with all the evidence, into the directory `chaos`
    /// beside the one of the profile, which is `target/chaos` mostly. Returns where they are.
    ///
    /// # Errors
    /// If they can't be written.
    pub fn write(&self) -> Result<Vec<PathBuf>> {
        let running = std::env::current_exe()?;
        let beside = |dir: &std::path::Path| !dir.ends_with("deps");
        let profile = running.ancestors().skip(1).find(|dir| beside(dir));
        let target =
            profile.and_then(|dir| dir.parent()).context("where is the target directory?")?;
        let dir = target.join("chaos");
        std::fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
        let json = json!({"plan": self.plan, "verdict": self.verdict, "ran": self.ran});
        let mut written = Vec::new();
        for (name, text) in [("latest.html", page::of(self)), ("latest.json", json.to_string())] {
            let path = dir.join(name);
            std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
            written.push(path);
        }
        Ok(written)
    }
}

fn sum(tally: &Tally) -> String {
    let rows = [
        ("attempts", tally.attempts),
        ("acknowledged", tally.acknowledged),
        ("ok", tally.ok),
        ("lost", tally.lost),
        ("duplicated", tally.duplicated),
        ("unexpected", tally.unexpected),
        ("recovered", tally.recovered),
        ("not placed", tally.not_placed),
    ];
    let rows = rows.map(|(name, count)| format!("{name:<14}{count:>8}"));
    rows.join("\n")
}
