//! The sum in Jepsen's words: what was tried, what was acknowledged, and what became of it.

use serde::Serialize;
use uuid::Uuid;

use super::super::history::Placing;
use super::{Case, Finding, finder};

/// Counts of orders that clients wanted under a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    /// Wanted.
    pub(crate) attempts: usize,
    /// Answered with `201`.
    pub(crate) acknowledged: usize,
    /// Acknowledged, there, and ended as they must.
    pub(crate) ok: usize,
    /// Acknowledged, and not there or not ended as they must.
    pub(crate) lost: usize,
    /// Keys with more than one order, and orders that were captured more than once.
    pub(crate) duplicated: usize,
    /// Orders, captures and payments that nobody asked for.
    pub(crate) unexpected: usize,
    /// Never acknowledged, but there and ended as they must.
    pub(crate) recovered: usize,
    /// Never acknowledged and not there.
    pub(crate) not_placed: usize,
}

impl Tally {
    pub(super) fn of(case: &Case<'_>) -> Tally {
        let placings = &case.evidence.history.placings;
        let accepted = || placings.iter().filter_map(|p| Some((p, p.accepted()?)));
        let well = |placing: &Placing, id: &Uuid| {
            case.rows.get(id).is_some_and(|row| case.ended_well(row, placing))
        };
        let ok = accepted().filter(|(placing, id)| well(placing, id)).count();
        let acknowledged = accepted().count();
        let there = case.placed().filter(|(_, placing)| placing.accepted().is_none());
        let (recovered, not_well): (Vec<_>, Vec<_>) =
            there.partition(|(row, placing)| case.ended_well(row, placing));
        Tally {
            attempts: placings.len(),
            acknowledged,
            ok,
            lost: acknowledged - ok + not_well.len(),
            duplicated: case.evidence.books.orders.len().saturating_sub(keys(case))
                + case.captured.values().filter(|n| **n > 1).count(),
            unexpected: unexpected(case).len(),
            recovered: recovered.len(),
            not_placed: placings.len() - acknowledged - recovered.len() - not_well.len(),
        }
    }
}

fn keys(case: &Case<'_>) -> usize {
    let keys = case.evidence.books.orders.iter().map(|row| row.key.as_deref());
    keys.collect::<std::collections::HashSet<_>>().len()
}

/// What is in the books and nobody wanted.
pub(super) fn unexpected(case: &Case<'_>) -> Vec<Finding> {
    let find = finder("P1");
    let books = &case.evidence.books;
    let rows = books.orders.iter().filter(|row| case.placing(row).is_none());
    let mut found: Vec<Finding> = rows
        .map(|row| find("unexpected-order", Some(row.id), format!("key {:?}", row.key)))
        .collect();
    for payment in books.payments.iter().filter(|p| !case.rows.contains_key(&p.order_id)) {
        found.push(find("unexpected-payment", Some(payment.order_id), "for no order".into()));
    }
    found
}
