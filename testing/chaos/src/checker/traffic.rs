//! P4 and P6: what is in the queues and the outbox when everything has ended.

use super::super::books::DEAD;
use super::{Case, Finding, Line, finder, orders_in};

pub(super) fn p4(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P4");
    let books = &case.evidence.books;
    let mut found = Vec::new();
    if books.outbox > 0 {
        let seen = format!("{} orders are still in the outbox", books.outbox);
        found.push(find("outbox-not-empty", None, seen));
    }
    for left in case.left_in(&["processedorders"]) {
        found.push(find("result-not-read", None, left.body.clone()));
    }
    for payment in books.payments.iter().filter(|payment| payment.finished_at.is_some()) {
        let pending = case.rows.get(&payment.order_id).is_some_and(|row| row.status == "Pending");
        if pending {
            let seen = format!("the payment is {}, the order pending", payment.status);
            found.push(find("reply-lost", Some(payment.order_id), seen));
        }
    }
    let cases = vec![
        (books.orders.len(), "through the outbox"),
        (books.payments.iter().filter(|p| p.finished_at.is_some()).count(), "replied to"),
        (case.evidence.intrusions.requests.len(), "requests repeated"),
    ];
    (Line { promise: "P4", about: "the old fact goes only after the new one", cases }, found)
}

pub(super) fn p6(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P6");
    let words = &case.evidence.intrusions.nonsense;
    let absent = case.absent(words, &DEAD);
    let mut found: Vec<Finding> = absent
        .iter()
        .map(|word| find("nonsense-gone", None, format!("{word} is nowhere")))
        .collect();
    for letter in case.left_in(&DEAD) {
        // What the broker did not confirm to the intruder may be here as well; it is nonsense too,
        // unless it is about an order of ours.
        let ours = orders_in(&letter.body).into_iter().find(|id| case.rows.contains_key(id));
        if ours.is_some() {
            let seen = format!("{:?}: {}", letter.reason, letter.body);
            found.push(find("good-one-parked", ours, seen));
        }
        if letter.reason.is_none() {
            found.push(find("no-reason", None, letter.body.clone()));
        }
    }
    let letters = case.left_in(&DEAD).count();
    let cases = vec![(words.len(), "nonsense sent"), (letters, "dead letters")];
    (Line { promise: "P6", about: "what cannot be read is parked, and nothing else", cases }, found)
}
