//! The auditor's report, for people and for programs.

use db::audit::{CaptureRow, OrderRow, PaymentRow, PaymentStatus, Sum};
use domain::{OrderId, rfc3339};
use serde::Serialize;
use time::OffsetDateTime;

use crate::findings::Finding;
use crate::records::OrderRecords;
use crate::state::AuditState;
use crate::unfinished::{Totals, Unfinished, WaitReason, age};
use crate::violation::ViolationKind;

/// Number of unfinished orders that a report lists, the oldest.
const SHOWN_MAX: usize = 100;

/// The results of the audit at one moment.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// Time of the last complete round, by the database's clock; `None` before the first.
    pub(crate) as_of: Option<String>,
    /// Reason why no round was complete since, if so.
    pub(crate) trouble: Option<String>,
    /// Time of the last complete walk over all orders.
    pub(crate) everything_as_of: Option<String>,
    /// The findings.
    pub(crate) violations: Vec<Violation>,
    /// Counts of waiting work, with the age of the oldest.
    pub(crate) waiting: Vec<Waiting>,
    /// The oldest unfinished orders.
    pub(crate) unfinished: Vec<UnfinishedOrder>,
}

/// A finding, with the records of all sides.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Violation {
    pub(crate) kind: &'static str,
    pub(crate) order_id: String,
    /// The shop's record.
    pub(crate) order: String,
    /// The workers' record.
    pub(crate) payment: String,
    /// The captures in the gateway's ledger.
    pub(crate) gateway: String,
    /// Time of the first look.
    pub(crate) since: String,
}

/// The amount of one kind of waiting work.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Waiting {
    pub(crate) what: &'static str,
    pub(crate) count: i64,
    /// Age of the oldest, where the age is measured.
    pub(crate) oldest_seconds: Option<u64>,
}

/// An unfinished order.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnfinishedOrder {
    pub(crate) order_id: String,
    /// Age of the order.
    pub(crate) seconds: u64,
    /// Reason to wait, as far as the tables show.
    pub(crate) why: String,
}

impl Report {
    /// Makes the report of a complete round.
    pub(crate) fn new(state: &AuditState) -> Report {
        let mut oldest: Vec<(OrderId, &Unfinished)> = state.unfinished.orders().collect();
        oldest.sort_by_key(|(_, unfinished)| unfinished.since());
        oldest.truncate(SHOWN_MAX);
        let violations = state.findings.found();
        let unfinished = oldest.into_iter();
        Report {
            as_of: Some(rfc3339::format(state.now)),
            trouble: None,
            everything_as_of: state.walked_at.map(rfc3339::format),
            violations: violations.map(|(id, kind, found)| violation(id, kind, found)).collect(),
            waiting: waiting(state),
            unfinished: unfinished.map(|(id, why)| unfinished_order(id, why, state.now)).collect(),
        }
    }

    /// The same report, with the reason why there is no newer one.
    pub(crate) fn with_trouble(&self, why: String) -> Report {
        Report { trouble: Some(why), ..self.clone() }
    }
}

fn violation(id: OrderId, kind: ViolationKind, finding: &Finding) -> Violation {
    let records = &finding.records;
    Violation {
        kind: kind.as_str(),
        order_id: id.to_string(),
        order: order_text(records.order.as_ref()),
        payment: payment_text(records.payment.as_ref()),
        gateway: captures_text(records),
        since: rfc3339::format(finding.since),
    }
}

fn waiting(state: &AuditState) -> Vec<Waiting> {
    let totals: Totals = state.unfinished.totals(state.now);
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let line = |what, count, oldest_seconds| Waiting { what, count, oldest_seconds };
    let pending: usize = totals.pending.iter().sum();
    let mut lines =
        vec![line("pending orders", count(pending), Some(totals.oldest_pending.as_secs()))];
    for (reason, pending) in WaitReason::ALL.into_iter().zip(totals.pending) {
        lines.push(line(reason_label(reason), count(pending), None));
    }
    lines.push(line(
        "unknown charges",
        count(totals.unknown),
        Some(totals.oldest_unknown.as_secs()),
    ));
    lines.push(line("rows of the outbox", state.outbox.rows, Some(state.outbox.oldest.as_secs())));
    lines
}

fn reason_label(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::InOutbox => "… in the outbox",
        WaitReason::NotBegun => "… requested and not begun",
        WaitReason::UnknownCharge => "… unknown charge",
        WaitReason::NotSettled => "… paid or declined and not settled",
    }
}

fn unfinished_order(id: OrderId, unfinished: &Unfinished, now: OffsetDateTime) -> UnfinishedOrder {
    let unknown =
        |since| format!("charge started {} s ago, no verdict yet", age(now, since).as_secs());
    let why = match (unfinished.pending, unfinished.unknown) {
        (Some((WaitReason::InOutbox, _)), _) => {
            "in the outbox: the broker has not taken it".to_owned()
        }
        (Some((WaitReason::NotBegun, _)), _) => {
            "not in the outbox, no payment: on its way to a worker, or lost".to_owned()
        }
        (Some((WaitReason::NotSettled, _)), _) => {
            "payment ended, order not settled: the result is on its way, or lost".to_owned()
        }
        (_, Some(since)) => unknown(since),
        (Some((WaitReason::UnknownCharge, since)), None) => unknown(since),
        (None, None) => String::new(),
    };
    let seconds = unfinished.since().map_or(0, |since| age(now, since).as_secs());
    UnfinishedOrder { order_id: id.to_string(), seconds, why }
}

fn order_text(order: Option<&OrderRow>) -> String {
    let text = |order: &OrderRow| format!("{}, {}", order.status, sum_text(&order.sum));
    order.map_or_else(|| "none".to_owned(), text)
}

fn payment_text(payment: Option<&PaymentRow>) -> String {
    let Some(payment) = payment else { return "none".to_owned() };
    let status = match payment.status {
        PaymentStatus::Started => "started",
        PaymentStatus::Captured => "captured",
        PaymentStatus::Declined => "declined",
    };
    format!("{status}, {}", sum_text(&payment.sum))
}

fn captures_text(records: &OrderRecords) -> String {
    let text = |capture: &CaptureRow| format!("{} under {}", sum_text(&capture.sum), capture.key);
    let captures: Vec<String> = records.captures.iter().map(text).collect();
    if captures.is_empty() { "nothing".to_owned() } else { captures.join("; ") }
}

/// The text of a sum, in minor units if a sum that was written by hand is no amount.
fn sum_text(sum: &Sum) -> String {
    let amount = domain::Amount::from_minor(sum.minor);
    let minor = format!("{} minor units", sum.minor);
    format!("{} {}", amount.map_or(minor, |amount| amount.to_string()), sum.currency)
}
