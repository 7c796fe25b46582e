//! P1 and P7: the clients' answers are true.

use std::collections::HashMap;

use super::super::history::{Answer, FollowUpKind};
use super::case::{Case, Finding, Line, finder};

pub(super) fn p1(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P1");
    let mut found = Vec::new();
    let mut accepted = 0;
    for placement in &case.evidence.history.placements {
        let Some(id) = placement.accepted() else { continue };
        accepted += 1;
        match case.rows.get(&id) {
            None => {
                let seen = format!("key {} got 201, and the order does not exist", placement.key);
                found.push(find("lost", Some(id), seen));
            }
            Some(row) if row.status == "Pending" && placement.card.end() != "Pending" => {
                let seen = format!("key {} never ended", placement.key);
                found.push(find("stuck", Some(id), seen));
            }
            Some(_) => {}
        }
    }
    for (row, placement) in case.placed().filter(|(_, placement)| placement.accepted().is_none()) {
        if row.status == "Pending" && placement.card.end() != "Pending" {
            let seen =
                format!("key {} was committed without an answer and never ended", placement.key);
            found.push(find("stuck", Some(row.id), seen));
        }
    }
    let mut reads = 0;
    for later in &case.evidence.history.later {
        reads += 1;
        if let Answer::Refusal { status: 404, .. } = later.seen.answer {
            found.push(find(
                "unread",
                Some(later.order),
                format!("{} is 404 after its 201", later.key),
            ));
        }
    }
    let about = "a 201 is committed and the order ends";
    (
        Line {
            promise: "P1",
            about,
            cases: vec![(accepted, "accepted"), (reads, "requested again later")],
        },
        found,
    )
}

pub(super) fn p7(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P7");
    let (mut found, mut again, mut other) = (Vec::new(), 0, 0);
    for later in &case.evidence.history.later {
        let (kind, order) = (later.kind, Some(later.order));
        match (kind, &later.seen.answer) {
            (FollowUpKind::Read, _) | (_, Answer::Silence(_)) => {}
            (_, Answer::Refusal { status: 409 | 503, .. }) => {}
            (FollowUpKind::Again, answer) => {
                again += 1;
                if !matches!(answer, Answer::Order { id, .. } if *id == later.order) {
                    found.push(find("another-answer", order, format!("{}: {answer:?}", later.key)));
                }
            }
            (FollowUpKind::OtherBody, answer) => {
                other += 1;
                if !matches!(answer, Answer::Refusal { status: 422, .. }) {
                    found.push(find("other-body", order, format!("{}: {answer:?}", later.key)));
                }
            }
        }
    }
    let mut orders_by_key: HashMap<&str, usize> = HashMap::new();
    for row in &case.evidence.ledger.orders {
        *orders_by_key.entry(row.key.as_deref().unwrap_or_default()).or_default() += 1;
    }
    for (key, orders) in orders_by_key.iter().filter(|(key, n)| !key.is_empty() && **n > 1) {
        found.push(find("second-order", None, format!("key {key} has {orders} orders")));
    }
    let repeated = case.evidence.history.placements.iter().filter(|p| p.attempts.len() > 1).count();
    for placement in &case.evidence.history.placements {
        let kept =
            placement.accepted().and_then(|id| case.rows.get(&id)).and_then(|r| r.key.as_ref());
        if kept.is_some_and(|key| *key != placement.key) {
            found.push(find("another-key", placement.accepted(), format!("key {}", placement.key)));
        }
    }
    let cases = vec![
        (repeated, "repeated until answered"),
        (again, "repeated later"),
        (other, "with another body"),
    ];
    (Line { promise: "P7", about: "a key makes one order", cases }, found)
}
