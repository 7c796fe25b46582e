//! P1 and P7: what clients were told is so.

use std::collections::HashMap;

use super::super::history::{Answer, Asked};
use super::{Case, Finding, Line, finder};

pub(super) fn p1(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P1");
    let mut found = Vec::new();
    let mut accepted = 0;
    for placing in &case.evidence.history.placings {
        let Some(id) = placing.accepted() else { continue };
        accepted += 1;
        match case.rows.get(&id) {
            None => {
                let seen = format!("key {} got 201 and is nowhere", placing.key);
                found.push(find("lost", Some(id), seen));
            }
            Some(row) if row.status == "Pending" && placing.card.end() != "Pending" => {
                let seen = format!("key {} never ended", placing.key);
                found.push(find("stuck", Some(id), seen));
            }
            Some(_) => {}
        }
    }
    for (row, placing) in case.placed().filter(|(_, placing)| placing.accepted().is_none()) {
        if row.status == "Pending" && placing.card.end() != "Pending" {
            let seen =
                format!("key {} was committed without an answer and never ended", placing.key);
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
            cases: vec![(accepted, "accepted"), (reads, "looked at again")],
        },
        found,
    )
}

pub(super) fn p7(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P7");
    let (mut found, mut again, mut other) = (Vec::new(), 0, 0);
    for later in &case.evidence.history.later {
        let (asked, order) = (later.asked, Some(later.order));
        match (asked, &later.seen.answer) {
            (Asked::Read, _) | (_, Answer::Silence(_)) => {}
            (_, Answer::Refusal { status: 409 | 503, .. }) => {}
            (Asked::Again, answer) => {
                again += 1;
                if !matches!(answer, Answer::Order { id, .. } if *id == later.order) {
                    found.push(find("another-answer", order, format!("{}: {answer:?}", later.key)));
                }
            }
            (Asked::OtherBody, answer) => {
                other += 1;
                if !matches!(answer, Answer::Refusal { status: 422, .. }) {
                    found.push(find("other-body", order, format!("{}: {answer:?}", later.key)));
                }
            }
        }
    }
    let mut orders_by_key: HashMap<&str, usize> = HashMap::new();
    for row in &case.evidence.books.orders {
        *orders_by_key.entry(row.key.as_deref().unwrap_or_default()).or_default() += 1;
    }
    for (key, orders) in orders_by_key.iter().filter(|(key, n)| !key.is_empty() && **n > 1) {
        found.push(find("second-order", None, format!("key {key} has {orders} orders")));
    }
    let repeated = case.evidence.history.placings.iter().filter(|p| p.tries.len() > 1).count();
    for placing in &case.evidence.history.placings {
        let kept =
            placing.accepted().and_then(|id| case.rows.get(&id)).and_then(|r| r.key.as_ref());
        if kept.is_some_and(|key| *key != placing.key) {
            found.push(find("another-key", placing.accepted(), format!("key {}", placing.key)));
        }
    }
    let cases = vec![
        (repeated, "repeated until answered"),
        (again, "repeated later"),
        (other, "with another body"),
    ];
    (Line { promise: "P7", about: "a key makes one order", cases }, found)
}
