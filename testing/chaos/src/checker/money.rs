//! P2, P3 and P5: money, verdicts, statuses.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::super::history::{Answer, Asked, Card, Later};
use super::super::run::RETRY_DELAYS_MS;
use super::{Case, Finding, Line, finder, orders_in};

/// What clocks and a poll may differ by.
const SLACK_SECONDS: f64 = 3.0;

pub(super) fn p2(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P2");
    let books = &case.evidence.books;
    let mut found = Vec::new();
    for (order, captures) in &case.captured {
        if *captures > 1 {
            found.push(find("captured-twice", Some(*order), format!("{captures} captures")));
        }
        match case.rows.get(order).map(|row| row.status.as_str()) {
            Some("Confirmed") => {}
            status => {
                let seen = format!("captured, and the order is {}", status.unwrap_or("nowhere"));
                found.push(find("captured-not-confirmed", Some(*order), seen));
            }
        }
    }
    let confirmed = || books.orders.iter().filter(|row| row.status == "Confirmed");
    for row in confirmed().filter(|row| !case.captured.contains_key(&row.id)) {
        found.push(find("confirmed-not-captured", Some(row.id), "confirmed for nothing".into()));
    }
    let total = |order: &Uuid| case.rows.get(order).map(|row| row.total_minor);
    let captures = books.captures.iter().map(|c| (c.order_id, c.amount_minor, "captured"));
    let payments = books.payments.iter().map(|p| (p.order_id, p.amount_minor, "recorded"));
    for (order, amount, what) in captures.chain(payments) {
        if total(&order).is_some_and(|total| total != amount) {
            let seen = format!("{amount} {what} for {:?}", total(&order));
            found.push(find("another-amount", Some(order), seen));
        }
    }
    if let Some(said) = &case.evidence.audit {
        found.push(find("auditor", None, said.clone()));
    }
    let cases = vec![(books.captures.len(), "captures"), (confirmed().count(), "confirmed")];
    (Line { promise: "P2", about: "captured once if and only if Confirmed", cases }, found)
}

pub(super) fn p3(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P3");
    let mut found = Vec::new();
    let left = case.evidence.books.left.iter();
    let in_queues: HashSet<Uuid> = left.flat_map(|left| orders_in(&left.body)).collect();
    let mut cases = [(0, "erred twice"), (0, "captured in silence"), (0, "never answered")];
    for (row, placing) in case.placed() {
        let case_of = match placing.card {
            Card::Visa | Card::Declined | Card::TooMuch => None,
            Card::ErrsTwice => cases.first_mut(),
            Card::SilentCapture => cases.get_mut(1),
            Card::NeverAnswers => cases.get_mut(2),
        };
        if let Some(case) = case_of {
            case.0 += 1;
        }
        let wrong = row.status != "Pending" && row.status != placing.card.end();
        if wrong {
            let seen = format!("{:?} ended as {}", placing.card, row.status);
            found.push(find("false-verdict", Some(row.id), seen));
        }
        if placing.card == Card::NeverAnswers && !in_queues.contains(&row.id) {
            let seen = "it has no verdict and nobody asks for one any more".into();
            found.push(find("forgotten", Some(row.id), seen));
        }
    }
    for left in &case.evidence.books.left {
        // What has been asked about before is alone in its message.
        let row = orders_in(&left.body).first().and_then(|order| case.rows.get(order));
        let (Some(row), Some(attempts)) = (row, left.attempts) else { continue };
        let age = case.evidence.books.read_at - row.created_at;
        let least = waited(attempts);
        if least > age + SLACK_SECONDS {
            let seen = format!("asked {attempts} times in {age:.0} s; that takes {least:.0} s");
            found.push(find("no-delay", Some(row.id), seen));
        }
    }
    let about = "no verdict is not a decline, and is asked for again with delays";
    (Line { promise: "P3", about, cases: cases.into() }, found)
}

/// How long so many attempts take at least, in seconds: the rungs they have waited on.
fn waited(attempts: i64) -> f64 {
    let rungs: Vec<f64> = RETRY_DELAYS_MS.split(',').filter_map(|ms| ms.parse().ok()).collect();
    let last = rungs.last().copied().unwrap_or_default();
    let attempts = usize::try_from(attempts).unwrap_or_default();
    (0..attempts).map(|i| rungs.get(i).copied().unwrap_or(last) / 1_000.0).sum()
}

pub(super) fn p5(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P5");
    let mut found = Vec::new();
    let mut moves: HashMap<Uuid, usize> = HashMap::new();
    for seen in &case.evidence.books.moves {
        *moves.entry(seen.order_id).or_default() += 1;
        let allowed = seen.was == "Pending" && ["Confirmed", "Canceled"].contains(&&*seen.became);
        if !allowed {
            let seen_text = format!("{} became {}", seen.was, seen.became);
            found.push(find("moved-wrongly", Some(seen.order_id), seen_text));
        }
    }
    for (order, times) in moves.iter().filter(|(_, times)| **times > 1) {
        found.push(find("moved-twice", Some(*order), format!("{times} times")));
    }
    let mut reads: HashMap<Uuid, Vec<&Later>> = HashMap::new();
    for read in case.evidence.history.later.iter().filter(|later| later.asked == Asked::Read) {
        reads.entry(read.order).or_default().push(read);
    }
    for (order, reads) in &reads {
        found.extend(went_back(reads).map(|seen| find("read-going-back", Some(*order), seen)));
    }
    let intrusions = &case.evidence.intrusions;
    let cases = vec![
        (moves.len(), "moved"),
        (reads.len(), "read"),
        (intrusions.repeated.len(), "repeated results"),
        (intrusions.contradicting.len(), "contradicting results"),
    ];
    (Line { promise: "P5", about: "a status moves once", cases }, found)
}

/// A final status, and in a read that began after that one was answered another status.
fn went_back(reads: &[&Later]) -> Option<String> {
    let status = |read: &Later| match &read.seen.answer {
        Answer::Order { status, .. } => Some(status.clone()),
        Answer::Refusal { .. } | Answer::Silence(_) => None,
    };
    for first in reads {
        let Some(before) = status(first).filter(|status| status != "Pending") else { continue };
        let answered = first.seen.at + first.seen.took;
        let later = reads.iter().filter(|read| read.seen.at > answered);
        for after in later.filter_map(|read| status(read)) {
            if after != before {
                return Some(format!("{before}, and later {after}"));
            }
        }
    }
    None
}
