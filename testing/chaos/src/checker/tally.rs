//! The sum in Jepsen's terms: attempted orders, acknowledged orders, and their outcome.

use serde::Serialize;
use uuid::Uuid;

use super::super::history::Placement;
use super::case::{Case, Finding, finder};

/// Counts of orders that clients placed under a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    /// Orders that clients tried to place.
    pub(crate) attempts: usize,
    /// Orders answered with `201`.
    pub(crate) acknowledged: usize,
    /// Acknowledged orders that exist and ended as their card demands.
    pub(crate) ok: usize,
    /// Acknowledged orders that are missing or did not end as their card demands.
    pub(crate) lost: usize,
    /// Keys with more than one order, and orders that were captured more than once.
    pub(crate) duplicated: usize,
    /// Orders, captures and payments without a client's request.
    pub(crate) unexpected: usize,
    /// Orders that were never acknowledged, exist, and ended as their card demands.
    pub(crate) recovered: usize,
    /// Orders that were never acknowledged and do not exist.
    pub(crate) not_placed: usize,
}

impl Tally {
    /// The counts by name, in the order of the report.
    pub(crate) fn rows(&self) -> [(&'static str, usize); 8] {
        [
            ("attempts", self.attempts),
            ("acknowledged", self.acknowledged),
            ("ok", self.ok),
            ("lost", self.lost),
            ("duplicated", self.duplicated),
            ("unexpected", self.unexpected),
            ("recovered", self.recovered),
            ("not placed", self.not_placed),
        ]
    }

    pub(super) fn of(case: &Case<'_>) -> Tally {
        let placements = &case.evidence.history.placements;
        let accepted = || placements.iter().filter_map(|p| Some((p, p.accepted()?)));
        let well = |placement: &Placement, id: &Uuid| {
            case.rows.get(id).is_some_and(|row| case.ended_well(row, placement))
        };
        let ok = accepted().filter(|(placement, id)| well(placement, id)).count();
        let acknowledged = accepted().count();
        let silent = case.placed().filter(|(_, placement)| placement.accepted().is_none());
        let (recovered, not_well): (Vec<_>, Vec<_>) =
            silent.partition(|(row, placement)| case.ended_well(row, placement));
        Tally {
            attempts: placements.len(),
            acknowledged,
            ok,
            lost: acknowledged - ok + not_well.len(),
            duplicated: case.evidence.ledger.orders.len().saturating_sub(keys(case))
                + case.captured.values().filter(|n| **n > 1).count(),
            unexpected: unexpected(case).len(),
            recovered: recovered.len(),
            not_placed: placements.len() - acknowledged - recovered.len() - not_well.len(),
        }
    }
}

fn keys(case: &Case<'_>) -> usize {
    let keys = case.evidence.ledger.orders.iter().map(|row| row.key.as_deref());
    keys.collect::<std::collections::HashSet<_>>().len()
}

/// Rows of the ledger without a client's request.
pub(super) fn unexpected(case: &Case<'_>) -> Vec<Finding> {
    let find = finder("P1");
    let ledger = &case.evidence.ledger;
    let rows = ledger.orders.iter().filter(|row| case.placement(row).is_none());
    let mut found: Vec<Finding> = rows
        .map(|row| find("unexpected-order", Some(row.id), format!("key {:?}", row.key)))
        .collect();
    for payment in ledger.payments.iter().filter(|p| !case.rows.contains_key(&p.order_id)) {
        found.push(find("unexpected-payment", Some(payment.order_id), "for no order".into()));
    }
    found
}
