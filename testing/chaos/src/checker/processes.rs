//! P8, P9 and P10: how the processes behaved.

use super::super::history::{Answer, Try};
use super::{Case, Finding, Line, finder};

/// The drain time, a second for the last tasks, and what a busy machine takes.
const EXIT_SECONDS: f64 = 13.0;
/// More than any process of ours has ever needed under this load.
const MEMORY_MB: f64 = 150.0;
const DOCUMENTED: [u16; 5] = [404, 409, 413, 422, 503];

pub(super) fn p8(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P8");
    let mut found = Vec::new();
    for look in &case.evidence.looks {
        let wrong = match look.ready {
            Some(ready) => ready != look.wanted,
            None => look.wanted,
        };
        if wrong {
            let (process, at, wanted) = (&look.process, look.at, look.wanted);
            let seen = format!("{process} at {at:.1} s: ready {:?}, in truth {wanted}", look.ready);
            found.push(find("untrue-readiness", None, seen));
        }
    }
    let placings = &case.evidence.history.placings;
    for placing in placings.iter().filter(|p| !p.fickle && p.accepted().is_none()) {
        let (key, tries) = (&placing.key, placing.tries.len());
        let last = placing.tries.last().map(|t| &t.answer);
        found.push(find("never-answered", None, format!("{key}: {tries} tries, last {last:?}")));
    }
    for panic in &case.evidence.panics {
        found.push(find("panic", None, panic.clone()));
    }
    let losses = case.evidence.marks.len();
    let cases = vec![(losses, "faults"), (case.evidence.looks.len(), "looks at readiness")];
    (Line { promise: "P8", about: "each survives the loss of any other and says so", cases }, found)
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
    (Line { promise: "P9", about: "SIGTERM loses nothing and ends in time", cases }, found)
}

pub(super) fn p10(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P10");
    let history = &case.evidence.history;
    let tries = || {
        let first = history.placings.iter().flat_map(|placing| &placing.tries);
        first.chain(history.later.iter().map(|later| &later.seen))
    };
    let mut found: Vec<Finding> =
        tries().filter_map(undocumented).map(|seen| find("undocumented", None, seen)).collect();
    let refused =
        tries().filter(|t| matches!(t.answer, Answer::Refusal { status: 503, .. })).count();
    for memory in case.evidence.memory.iter().filter(|memory| memory.mb > MEMORY_MB) {
        let seen = format!("{} had {:.0} MB at {:.0} s", memory.process, memory.mb, memory.at);
        found.push(find("memory", None, seen));
    }
    let cases = vec![
        (tries().count(), "requests"),
        (refused, "refused with a time to come back"),
        (case.evidence.memory.len(), "looks at memory"),
    ];
    (Line { promise: "P10", about: "what waits is bounded, and the caller is told", cases }, found)
}

fn undocumented(tried: &Try) -> Option<String> {
    match &tried.answer {
        Answer::Order { .. } | Answer::Silence(_) => None,
        Answer::Refusal { status: 503, retry_after: true, .. } => None,
        Answer::Refusal { status, .. } if *status != 503 && DOCUMENTED.contains(status) => None,
        Answer::Refusal { status, text, .. } => Some(format!("{status}: {text}")),
    }
}
