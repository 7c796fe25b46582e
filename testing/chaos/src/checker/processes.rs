//! P8, P9 and P10: the processes' behaviour.

use super::super::history::{Answer, Attempt};
use super::case::{Case, Finding, Line, finder};

/// The drain time, a second for the last tasks, and a margin for a busy machine.
const EXIT_SECONDS: f64 = 13.0;
/// Above the peak of any Ordermill process under this load.
const MEMORY_MB: f64 = 150.0;
const DOCUMENTED: [u16; 5] = [404, 409, 413, 422, 503];

pub(super) fn p8(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P8");
    let mut found = Vec::new();
    for check in &case.evidence.readiness_checks {
        let wrong = match check.ready {
            Some(ready) => ready != check.wanted,
            None => check.wanted,
        };
        if wrong {
            let (process, at, wanted) = (&check.process, check.at, check.wanted);
            let seen =
                format!("{process} at {at:.1} s: ready {:?}, should be {wanted}", check.ready);
            found.push(find("untrue-readiness", None, seen));
        }
    }
    let placements = &case.evidence.history.placements;
    for placement in placements.iter().filter(|p| !p.gives_up && p.accepted().is_none()) {
        let (key, attempts) = (&placement.key, placement.attempts.len());
        let last = placement.attempts.last().map(|attempt| &attempt.answer);
        let seen = format!("{key}: {attempts} attempts, last {last:?}");
        found.push(find("never-answered", None, seen));
    }
    for panic in &case.evidence.panics {
        found.push(find("panic", None, panic.clone()));
    }
    let losses = case.evidence.faults.len();
    let cases =
        vec![(losses, "faults"), (case.evidence.readiness_checks.len(), "readiness checks")];
    (
        Line {
            promise: "P8",
            about: "each process survives the loss of any other and reports it",
            cases,
        },
        found,
    )
}

pub(super) fn p9(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P9");
    let mut found = Vec::new();
    for exit in &case.evidence.exits {
        if exit.code != Some(0) || exit.took > EXIT_SECONDS {
            let (process, at) = (&exit.process, exit.at);
            let seen = format!("{process} at {at:.1} s: {:?} after {:.1} s", exit.code, exit.took);
            found.push(find("bad-end", None, seen));
        }
    }
    let cases = vec![(case.evidence.exits.len(), "stopped by SIGTERM")];
    (
        Line { promise: "P9", about: "SIGTERM loses nothing, and the process ends in time", cases },
        found,
    )
}

pub(super) fn p10(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P10");
    let history = &case.evidence.history;
    let attempts = || {
        let first = history.placements.iter().flat_map(|placement| &placement.attempts);
        first.chain(history.later.iter().map(|later| &later.seen))
    };
    let mut found: Vec<Finding> =
        attempts().filter_map(undocumented).map(|seen| find("undocumented", None, seen)).collect();
    let refused =
        attempts().filter(|t| matches!(t.answer, Answer::Refusal { status: 503, .. })).count();
    for memory in case.evidence.memory.iter().filter(|memory| memory.mb > MEMORY_MB) {
        let seen = format!("{} had {:.0} MB at {:.0} s", memory.process, memory.mb, memory.at);
        found.push(find("memory", None, seen));
    }
    let cases = vec![
        (attempts().count(), "requests"),
        (refused, "refused with Retry-After"),
        (case.evidence.memory.len(), "memory samples"),
    ];
    (
        Line {
            promise: "P10",
            about: "every wait is bounded, and a refused caller is told when to retry",
            cases,
        },
        found,
    )
}

fn undocumented(attempt: &Attempt) -> Option<String> {
    match &attempt.answer {
        Answer::Order { .. } | Answer::Silence(_) => None,
        Answer::Refusal { status: 503, retry_after: true, .. } => None,
        Answer::Refusal { status, .. } if *status != 503 && DOCUMENTED.contains(status) => None,
        Answer::Refusal { status, text, .. } => Some(format!("{status}: {text}")),
    }
}
