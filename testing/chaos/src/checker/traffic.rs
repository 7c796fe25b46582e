//! P4 and P6: the contents of queues and outbox at the end.

use super::super::ledger::DEAD;
use super::case::{Case, Finding, Line, finder, orders_in};

pub(super) fn p4(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P4");
    let ledger = &case.evidence.ledger;
    let mut found = Vec::new();
    if ledger.outbox > 0 {
        let seen = format!("{} orders are still in the outbox", ledger.outbox);
        found.push(find("outbox-not-empty", None, seen));
    }
    for message in case.queued_in(&["processedorders"]) {
        found.push(find("result-not-read", None, message.body.clone()));
    }
    for payment in ledger.payments.iter().filter(|payment| payment.finished_at.is_some()) {
        let pending = case.rows.get(&payment.order_id).is_some_and(|row| row.status == "Pending");
        if pending {
            let seen = format!("the payment is {}, the order pending", payment.status);
            found.push(find("reply-lost", Some(payment.order_id), seen));
        }
    }
    let cases = vec![
        (ledger.orders.len(), "through the outbox"),
        (ledger.payments.iter().filter(|p| p.finished_at.is_some()).count(), "replied to"),
        (case.evidence.adversary.requests.len(), "requests repeated"),
    ];
    (
        Line {
            promise: "P4",
            about: "a fact is removed only after its successor is durable",
            cases,
        },
        found,
    )
}

pub(super) fn p6(case: &Case<'_>) -> (Line, Vec<Finding>) {
    let find = finder("P6");
    let tokens = &case.evidence.adversary.nonsense;
    let absent = case.absent(tokens, &DEAD);
    let mut found: Vec<Finding> = absent
        .iter()
        .map(|token| find("nonsense-gone", None, format!("{token} is in no dead-letter queue")))
        .collect();
    for message in case.queued_in(&DEAD) {
        // A message that the broker did not confirm to the adversary may be here as well. It is
        // nonsense too, unless it belongs to an order of the campaign.
        let ours = orders_in(&message.body).into_iter().find(|id| case.rows.contains_key(id));
        if ours.is_some() {
            let seen = format!("{:?}: {}", message.reason, message.body);
            found.push(find("good-one-dead-lettered", ours, seen));
        }
        if message.reason.is_none() {
            found.push(find("no-reason", None, message.body.clone()));
        }
    }
    let dead_letters = case.queued_in(&DEAD).count();
    let cases = vec![(tokens.len(), "nonsense sent"), (dead_letters, "dead letters")];
    (Line { promise: "P6", about: "only unreadable messages are dead-lettered", cases }, found)
}
