//! P2, P3 and P5: money, verdicts and statuses.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::super::history::{Answer, Card, FollowUp, FollowUpKind};
use super::super::run::RETRY_DELAYS_MS;
use super::case::{Case, Finding, Line, finder, orders_in};

/// Tolerance for the difference of two clocks and the interval of a poll.
const SLACK_SECONDS: f64 = 3.0;

pub(super) fn p2(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P2");
    let ledger = &case.evidence.ledger;
    let mut found = Vec::new();
    for (order, captures) in &case.captured {
        if *captures > 1 {
            found.push(find("captured-twice", Some(*order), format!("{captures} captures")));
        }
        match case.rows.get(order).map(|row| row.status.as_str()) {
            Some("Confirmed") => {}
            status => {
                let seen = format!("captured, and the order is {}", status.unwrap_or("missing"));
                found.push(find("captured-not-confirmed", Some(*order), seen));
            }
        }
    }
    let confirmed = || ledger.orders.iter().filter(|row| row.status == "Confirmed");
    for row in confirmed().filter(|row| !case.captured.contains_key(&row.id)) {
        found.push(find(
            "confirmed-not-captured",
            Some(row.id),
            "confirmed without a capture".into(),
        ));
    }
    let total = |order: &Uuid| case.rows.get(order).map(|row| row.total_minor);
    let captures = ledger.captures.iter().map(|c| (c.order_id, c.amount_minor, "captured"));
    let payments = ledger.payments.iter().map(|p| (p.order_id, p.amount_minor, "recorded"));
    for (order, amount, what) in captures.chain(payments) {
        if total(&order).is_some_and(|total| total != amount) {
            let seen = format!("{amount} {what} for {:?}", total(&order));
            found.push(find("another-amount", Some(order), seen));
        }
    }
    if let Some(said) = &case.evidence.audit {
        found.push(find("auditor", None, said.clone()));
    }
    let cases = vec![(ledger.captures.len(), "captures"), (confirmed().count(), "confirmed")];
    (Line { promise: "P2", about: "captured once if and only if Confirmed", cases }, found)
}

pub(super) fn p3(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P3");
    let mut found = Vec::new();
    let left = case.evidence.ledger.queued.iter();
    let in_queues: HashSet<Uuid> = left.flat_map(|message| orders_in(&message.body)).collect();
    let mut cases = [(0, "erred twice"), (0, "captured in silence"), (0, "never answered")];
    for (row, placement) in case.placed() {
        let case_of = match placement.card {
            Card::Visa | Card::Declined | Card::TooMuch => None,
            Card::ErrsTwice => cases.first_mut(),
            Card::SilentCapture => cases.get_mut(1),
            Card::NeverAnswers => cases.get_mut(2),
        };
        if let Some(case) = case_of {
            case.0 += 1;
        }
        let wrong = row.status != "Pending" && row.status != placement.card.end();
        if wrong {
            let seen = format!("{:?} ended as {}", placement.card, row.status);
            found.push(find("false-verdict", Some(row.id), seen));
        }
        if placement.card == Card::NeverAnswers && !in_queues.contains(&row.id) {
            let seen = "without a verdict, and in no queue".into();
            found.push(find("forgotten", Some(row.id), seen));
        }
    }
    for message in &case.evidence.ledger.queued {
        // A request that was forwarded for a retry is alone in its message.
        let row = orders_in(&message.body).first().and_then(|order| case.rows.get(order));
        let (Some(row), Some(attempts)) = (row, message.attempts) else { continue };
        let age = case.evidence.ledger.read_at - row.created_at;
        let least = waited(attempts);
        if least > age + SLACK_SECONDS {
            let seen =
                format!("{attempts} attempts in {age:.0} s; they take {least:.0} s at least");
            found.push(find("no-delay", Some(row.id), seen));
        }
    }
    let about = "a missing verdict is no decline, and the charge is retried with delays";
    (Line { promise: "P3", about, cases: cases.into() }, found)
}

/// Shortest time of so many attempts, in seconds: the sum of their delays in the retry queues.
fn waited(attempts: i64) -> f64 {
    let delays: Vec<f64> = RETRY_DELAYS_MS.split(',').filter_map(|ms| ms.parse().ok()).collect();
    let last = delays.last().copied().unwrap_or_default();
    let attempts = usize::try_from(attempts).unwrap_or_default();
    (0..attempts).map(|i| delays.get(i).copied().unwrap_or(last) / 1_000.0).sum()
}

pub(super) fn p5(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P5");
    let mut found = Vec::new();
    let mut moves: HashMap<Uuid, usize> = HashMap::new();
    for change in &case.evidence.ledger.moves {
        *moves.entry(change.order_id).or_default() += 1;
        let to_final = ["Confirmed", "Canceled"].contains(&&*change.became);
        if change.was != "Pending" || !to_final {
            let seen = format!("{} became {}", change.was, change.became);
            found.push(find("moved-wrongly", Some(change.order_id), seen));
        }
    }
    for (order, times) in moves.iter().filter(|(_, times)| **times > 1) {
        found.push(find("moved-twice", Some(*order), format!("{times} times")));
    }
    let mut reads: HashMap<Uuid, Vec<&FollowUp>> = HashMap::new();
    for read in case.evidence.history.later.iter().filter(|later| later.kind == FollowUpKind::Read)
    {
        reads.entry(read.order).or_default().push(read);
    }
    for (order, reads) in &reads {
        found.extend(went_back(reads).map(|seen| find("read-going-back", Some(*order), seen)));
    }
    let adversary = &case.evidence.adversary;
    let cases = vec![
        (moves.len(), "moved"),
        (reads.len(), "read"),
        (adversary.repeated.len(), "repeated results"),
        (adversary.contradicting.len(), "contradicting results"),
    ];
    (Line { promise: "P5", about: "a status moves once", cases }, found)
}

/// Describes a read that began after another read had returned a final status, and that returned a
/// different status.
fn went_back(reads: &[&FollowUp]) -> Option<String> {
    let status = |read: &FollowUp| match &read.seen.answer {
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
