//! Compares the evidence with the promises. The checker is independent of Ordermill's internals:
//! its sources are the clients' answers, the tables, the gateway's ledger, the queues, and the
//! processes' behaviour.

mod case;
mod clients;
mod money;
mod processes;
mod tally;
#[cfg(test)]
mod tests;
mod traffic;

use serde::Serialize;

use super::evidence::Evidence;
use case::Case;

pub use case::Finding;
pub(super) use case::Line;
pub(super) use tally::Tally;

/// The outcome of all checks.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// Counts of orders, in Jepsen's terms.
    pub(super) tally: Tally,
    /// One line per promise.
    pub(super) lines: Vec<Line>,
    /// Every breach.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The broken promises, each with the checks that found the breach.
    pub fn broken(&self) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        for finding in &self.findings {
            let name = format!("{} ({})", finding.promise, finding.check);
            if !seen.contains(&name) {
                seen.push(name);
            }
        }
        seen
    }

    /// The number of breaches of one promise.
    pub(super) fn broken_times(&self, promise: &str) -> usize {
        self.findings.iter().filter(|finding| finding.promise == promise).count()
    }
}

/// Runs every check.
pub(super) fn check(evidence: &Evidence) -> Verdict {
    let case = Case::new(evidence);
    let mut lines = Vec::new();
    let mut findings = Vec::new();
    for (line, found) in [
        clients::p1(&case),
        money::p2(&case),
        money::p3(&case),
        traffic::p4(&case),
        money::p5(&case),
        traffic::p6(&case),
        clients::p7(&case),
        processes::p8(&case),
        processes::p9(&case),
        processes::p10(&case),
    ] {
        lines.push(line);
        findings.extend(found);
    }
    let tally = Tally::of(&case);
    findings.extend(tally::unexpected(&case));
    Verdict { tally, lines, findings }
}
