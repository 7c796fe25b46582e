//! Holds what was seen against what was promised. It knows nothing of how Ordermill works inside:
//! only what clients were answered, what the tables, the gateway's books and the queues say, and
//! how the processes behaved.

mod clients_view;
mod money;
mod processes;
mod tally;
#[cfg(test)]
mod tests;
mod traffic;

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::books::OrderRow;
use super::evidence::Evidence;
use super::history::Placing;

pub(super) use tally::Tally;

/// A promise that was broken once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `P1` to `P10`.
    pub promise: &'static str,
    /// Which check found it.
    pub check: &'static str,
    /// What was seen, in words.
    pub seen: String,
    /// The order it is about, if it is about one.
    pub order: Option<Uuid>,
}

/// One promise: what was looked at and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// `P1` to `P10`.
    pub(super) promise: &'static str,
    /// The promise in a few words.
    pub(super) about: &'static str,
    /// How many cases of what were seen.
    pub(super) cases: Vec<(usize, &'static str)>,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// In Jepsen's words.
    pub(super) tally: Tally,
    /// One line a promise.
    pub(super) lines: Vec<Line>,
    /// Everything that was broken.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The promises that were broken, and by which checks that was seen.
    pub fn broken(&self) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        for finding in &self.findings {
            let name = format!("{} ({})", finding.promise, finding.check);
            if !seen.contains(&name) {
                seen.push(name);
            }
        }
        seen
    }

    /// How often a promise was broken.
    pub(super) fn broken_times(&self, promise: &str) -> usize {
        self.findings.iter().filter(|finding| finding.promise == promise).count()
    }
}

/// The evidence by order.
struct Case<'a> {
    evidence: &'a Evidence,
    rows: HashMap<Uuid, &'a OrderRow>,
    /// Captures by order.
    captured: HashMap<Uuid, usize>,
    /// What the clients wanted, by key.
    wanted: HashMap<&'a str, &'a Placing>,
}

/// Judges.
pub(super) fn check(evidence: &Evidence) -> Verdict {
    let mut captured = HashMap::new();
    for capture in &evidence.books.captures {
        *captured.entry(capture.order_id).or_default() += 1;
    }
    let wanted = evidence.history.placings.iter().map(|p| (p.key.as_str(), p)).collect();
    let rows = evidence.books.orders.iter().map(|row| (row.id, row)).collect();
    let case = Case { evidence, rows, captured, wanted };
    let mut lines = Vec::new();
    let mut findings = Vec::new();
    for (line, found) in [
        clients_view::p1(&case),
        money::p2(&case),
        money::p3(&case),
        traffic::p4(&case),
        money::p5(&case),
        traffic::p6(&case),
        clients_view::p7(&case),
        processes::p8(&case),
        processes::p9(&case),
        processes::p10(&case),
    ] {
        lines.push(line);
        findings.extend(found);
    }
    let tally = Tally::of(&case);
    findings.extend(tally::unexpected(&case));
    Verdict { tally, lines, findings }
}

impl Case<'_> {
    /// What a row's client wanted; nothing if nobody wanted it.
    fn placing(&self, row: &OrderRow) -> Option<&Placing> {
        self.wanted.get(row.key.as_deref()?).copied()
    }

    /// Rows with what their clients wanted.
    fn placed(&self) -> impl Iterator<Item = (&OrderRow, &Placing)> {
        let rows = self.evidence.books.orders.iter();
        rows.filter_map(|row| Some((row, self.placing(row)?)))
    }

    /// Whether the row is as it has to be in the end: status by its card, captured once or never.
    fn ended_well(&self, row: &OrderRow, placing: &Placing) -> bool {
        let captures = self.captured.get(&row.id).copied().unwrap_or_default();
        row.status == placing.card.end() && captures == usize::from(row.status == "Confirmed")
    }

    /// Words that stand in no body of `queues`.
    fn absent<'w>(&self, words: &'w [String], queues: &[&str]) -> Vec<&'w String> {
        let bodies: Vec<&str> = self.left_in(queues).map(|left| left.body.as_str()).collect();
        words.iter().filter(|word| !bodies.iter().any(|body| body.contains(*word))).collect()
    }

    fn left_in(&self, queues: &[&str]) -> impl Iterator<Item = &super::books::Left> {
        self.evidence.books.left.iter().filter(move |left| queues.contains(&left.queue.as_str()))
    }
}

/// A maker of findings for one promise.
fn finder(promise: &'static str) -> impl Fn(&'static str, Option<Uuid>, String) -> Finding {
    move |check, order, seen| Finding { promise, check, seen, order }
}

/// The orders of a message, which has one or is a pack.
fn orders_in(body: &str) -> Vec<Uuid> {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let parts = json.as_array().map_or(std::slice::from_ref(&json), Vec::as_slice);
    parts.iter().filter_map(|part| part.get("orderId")?.as_str()?.parse().ok()).collect()
}
