//! The results of one run of the benchmark.

use serde::Serialize;

use super::figure::Findings;
use super::machine::Facts;
use super::plan::Plan;

/// Everything about one run. `report` renders it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Results {
    /// Time of the run by PostgreSQL's clock, as in `20261120T083000Z`.
    pub(super) taken_at: String,
    /// Duration of the run.
    pub(super) minutes: f64,
    /// The plan.
    pub(super) plan: Plan,
    /// The machine and the servers.
    pub(super) facts: Facts,
    /// The measurements.
    #[serde(flatten)]
    pub(super) findings: Findings,
}

impl Results {
    /// The chapters of the figures, in order.
    pub(super) fn chapters(&self) -> Vec<&'static str> {
        let mut chapters: Vec<&'static str> = Vec::new();
        for figure in &self.findings.figures {
            if !chapters.contains(&figure.chapter) {
                chapters.push(figure.chapter);
            }
        }
        chapters
    }

    /// The number of targets that are met, and the number of all targets.
    pub(super) fn score(&self) -> (usize, usize) {
        let verdicts = || self.findings.figures.iter().filter_map(|figure| figure.met);
        (verdicts().filter(|met| *met).count(), verdicts().count())
    }
}
