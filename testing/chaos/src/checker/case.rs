//! The checker's input, indexed by order, and the shape of its output.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::super::evidence::Evidence;
use super::super::history::Placement;
use super::super::ledger::{OrderRow, QueuedMessage};

/// One breach of a promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `P1` to `P10`.
    pub promise: &'static str,
    /// Name of the check that found the breach.
    pub check: &'static str,
    /// Description of the observation.
    pub seen: String,
    /// The order concerned, if the breach concerns one order.
    pub order: Option<Uuid>,
}

/// One promise with the number of cases that were checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    /// `P1` to `P10`.
    pub(crate) promise: &'static str,
    /// Short form of the promise.
    pub(crate) about: &'static str,
    /// Counts of cases, each with its kind.
    pub(crate) cases: Vec<(usize, &'static str)>,
}

/// The evidence, indexed.
pub(super) struct Case<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) rows: HashMap<Uuid, &'a OrderRow>,
    /// Captures by order.
    pub(super) captured: HashMap<Uuid, usize>,
    /// The clients' orders by key.
    wanted: HashMap<&'a str, &'a Placement>,
}

impl<'a> Case<'a> {
    pub(super) fn new(evidence: &'a Evidence) -> Case<'a> {
        let mut captured = HashMap::new();
        for capture in &evidence.ledger.captures {
            *captured.entry(capture.order_id).or_default() += 1;
        }
        let wanted = evidence.history.placements.iter().map(|p| (p.key.as_str(), p)).collect();
        let rows = evidence.ledger.orders.iter().map(|row| (row.id, row)).collect();
        Case { evidence, rows, captured, wanted }
    }

    /// The client's order behind a row; `None` if no client placed the row.
    pub(super) fn placement(&self, row: &OrderRow) -> Option<&Placement> {
        self.wanted.get(row.key.as_deref()?).copied()
    }

    /// Rows with their clients' orders.
    pub(super) fn placed(&self) -> impl Iterator<Item = (&OrderRow, &Placement)> {
        let rows = self.evidence.ledger.orders.iter();
        rows.filter_map(|row| Some((row, self.placement(row)?)))
    }

    /// True if the row has the status that its card demands, and was captured once or never
    /// accordingly.
    pub(super) fn ended_well(&self, row: &OrderRow, placement: &Placement) -> bool {
        let captures = self.captured.get(&row.id).copied().unwrap_or_default();
        row.status == placement.card.end() && captures == usize::from(row.status == "Confirmed")
    }

    /// The tokens that no body in `queues` contains.
    pub(super) fn absent<'w>(&self, tokens: &'w [String], queues: &[&str]) -> Vec<&'w String> {
        let bodies: Vec<&str> = self.queued_in(queues).map(|m| m.body.as_str()).collect();
        tokens.iter().filter(|token| !bodies.iter().any(|body| body.contains(*token))).collect()
    }

    /// The messages in these queues.
    pub(super) fn queued_in(&self, queues: &[&str]) -> impl Iterator<Item = &QueuedMessage> {
        let queued = self.evidence.ledger.queued.iter();
        queued.filter(move |message| queues.contains(&message.queue.as_str()))
    }
}

/// Returns a constructor of findings for one promise.
pub(super) fn finder(
    promise: &'static str,
) -> impl Fn(&'static str, Option<Uuid>, String) -> Finding {
    move |check, order, seen| Finding { promise, check, seen, order }
}

/// The orders of a message: one, or those of a batch message.
pub(super) fn orders_in(body: &str) -> Vec<Uuid> {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let parts = json.as_array().map_or(std::slice::from_ref(&json), Vec::as_slice);
    parts.iter().filter_map(|part| part.get("orderId")?.as_str()?.parse().ok()).collect()
}
