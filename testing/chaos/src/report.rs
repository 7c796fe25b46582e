//! The report: text for the terminal, a page for people, JSON for programs.

mod chart;
mod order_records;
mod page;

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;

use super::campaign::Report;
use super::checker::Tally;
use super::recovery;

/// Most findings in the text, each with the history of its order.
const FINDINGS_MAX: usize = 5;

impl Report {
    /// The report for the terminal.
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
        text += &format!("\n{:<28}{:>6}  after it was back  nothing final  open charges\n", "", "");
        text += "fault                        times   median   worst      worst         worst\n";
        for (kind, r) in recovery::by_kind(&self.ran.evidence) {
            text += &format!(
                "{:<28} {:>5} {:>7.2}s {:>6.2}s {:>9.2}s {:>12.2}s\n",
                kind.name(),
                r.times,
                r.first_settle.median,
                r.first_settle.worst,
                r.standstill.worst,
                r.in_work.worst,
            );
        }
        for finding in self.verdict.findings.iter().take(FINDINGS_MAX) {
            text += &format!("\n{} {}: {}\n", finding.promise, finding.check, finding.seen);
            for line in order_records::of(&self.ran, finding) {
                text += &format!("  {line}\n");
            }
        }
        if !self.verdict.findings.is_empty() {
            text += &format!("\nAgain: make chaos SEED={}\n", self.plan.seed);
        }
        text
    }

    /// Writes `latest.html`, and `latest.json` with all the evidence, into the directory `chaos`
    /// beside the directory of the build profile, which is usually `target/chaos`. Returns the
    /// paths.
    ///
    /// # Errors
    /// If a file can't be written.
    pub fn write(&self) -> Result<Vec<PathBuf>> {
        let running = std::env::current_exe()?;
        let beside = |dir: &std::path::Path| !dir.ends_with("deps");
        let profile = running.ancestors().skip(1).find(|dir| beside(dir));
        let target = profile.and_then(|dir| dir.parent()).context("find the target directory")?;
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
    tally.rows().map(|(name, count)| format!("{name:<14}{count:>8}")).join("\n")
}
