//! What an auditor has to say, for people and for programs.

use std::fmt::Write as _;

use db::audit::{PaymentRow, PaymentStatus, Sum};
use domain::OrderId;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::audit::Audit;
use crate::judge::{Reason, Seen, Unfinished};
use crate::unfinished::{Numbers, age};

/// How many of the oldest pending orders are told one by one.
const SHOWN_MAX: usize = 100;

/// All of it at one moment.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// When the last round was complete, by the database's clock; nothing before the first.
    pub(crate) as_of: Option<String>,
    /// Why there has been none since, if so.
    pub(crate) trouble: Option<String>,
    /// When the last walk over everything was complete.
    pub(crate) everything_as_of: Option<String>,
    /// What is wrong.
    pub(crate) violations: Vec<Violation>,
    /// How much waits, and how long the oldest has.
    pub(crate) waiting: Vec<Waiting>,
    /// The oldest orders that have not ended.
    pub(crate) unfinished: Vec<Open>,
}

/// Something that is wrong.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Violation {
    pub(crate) kind: &'static str,
    pub(crate) order_id: String,
    /// What each side says.
    pub(crate) order: String,
    pub(crate) payment: String,
    pub(crate) gateway: String,
    /// When it was first seen.
    pub(crate) since: String,
}

/// How much waits for one thing.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Waiting {
    pub(crate) what: &'static str,
    pub(crate) count: i64,
    /// Where it is measured for this alone.
    pub(crate) oldest_seconds: Option<u64>,
}

/// An order that has not ended.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Open {
    pub(crate) order_id: String,
    pub(crate) seconds: u64,
    /// What it waits for, as far as the tables know.
    pub(crate) why: String,
}

impl Report {
    /// What there is to say after a round.
    pub(crate) fn of(audit: &Audit) -> Report {
        let mut open: Vec<(OrderId, &Unfinished)> = audit.standing.orders().collect();
        open.sort_by_key(|(_, unfinished)| since(unfinished));
        open.truncate(SHOWN_MAX);
        let violation =
            |(id, kind, finding): (OrderId, crate::judge::Kind, &crate::findings::Finding)| {
                Violation {
                    kind: kind.as_str(),
                    order_id: id.to_string(),
                    order: order(&finding.seen),
                    payment: payment(finding.seen.payment.as_ref()),
                    gateway: gateway(&finding.seen),
                    since: text(finding.since),
                }
            };
        Report {
            as_of: Some(text(audit.now)),
            trouble: None,
            everything_as_of: audit.walked_at.map(text),
            violations: audit.findings.found().map(violation).collect(),
            waiting: waiting(&audit.standing.metrics(audit.now), audit),
            unfinished: open.into_iter().map(|(id, what)| told(id, what, audit.now)).collect(),
        }
    }

    /// The same with the reason why there is nothing newer.
    pub(crate) fn troubled(&self, why: String) -> Report {
        Report { trouble: Some(why), ..self.clone() }
    }
}

fn waiting(metrics: &Numbers, audit: &Audit) -> Vec<Waiting> {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let line = |what, count, oldest_seconds| Waiting { what, count, oldest_seconds };
    let pending: usize = metrics.pending.iter().sum();
    let mut lines =
        vec![line("pending orders", count(pending), Some(metrics.oldest_pending.as_secs()))];
    for (reason, pending) in Reason::ALL.into_iter().zip(metrics.pending) {
        lines.push(line(of_them(reason), count(pending), None));
    }
    lines.push(line(
        "unknown charges",
        count(metrics.unknown),
        Some(metrics.oldest_unknown.as_secs()),
    ));
    lines.push(line("rows of the outbox", audit.outbox.rows, Some(audit.outbox.oldest.as_secs())));
    lines
}

fn of_them(reason: Reason) -> &'static str {
    match reason {
        Reason::InOutbox => "… in the outbox",
        Reason::NotBegun => "… requested and not begun",
        Reason::UnknownCharge => "… unknown charge",
        Reason::NotSettled => "… paid or declined and not settled",
    }
}

fn since(unfinished: &Unfinished) -> Option<OffsetDateTime> {
    unfinished.pending.map(|(_, since)| since).or(unfinished.unknown)
}

fn told(id: OrderId, unfinished: &Unfinished, now: OffsetDateTime) -> Open {
    let unknown =
        |since| format!("charge started {} s ago, no verdict yet", age(now, since).as_secs());
    let why = match (unfinished.pending, unfinished.unknown) {
        (Some((Reason::InOutbox, _)), _) => "in the outbox: the broker has not taken it".to_owned(),
        (Some((Reason::NotBegun, _)), _) => {
            "not in the outbox, no payment: on its way to a worker, or lost".to_owned()
        }
        (Some((Reason::NotSettled, _)), _) => {
            "payment ended, order not settled: the result is on its way, or lost".to_owned()
        }
        (_, Some(since)) => unknown(since),
        (Some((Reason::UnknownCharge, since)), None) => unknown(since),
        (None, None) => String::new(),
    };
    let seconds = since(unfinished).map_or(0, |since| age(now, since).as_secs());
    Open { order_id: id.to_string(), seconds, why }
}

fn order(seen: &Seen) -> String {
    let told = |order: &db::audit::OrderRow| format!("{}, {}", order.status, sum(&order.sum));
    seen.order.as_ref().map_or_else(|| "none".to_owned(), told)
}

fn payment(payment: Option<&PaymentRow>) -> String {
    let Some(payment) = payment else { return "none".to_owned() };
    let status = match payment.status {
        PaymentStatus::Started => "started",
        PaymentStatus::Captured => "captured",
        PaymentStatus::Declined => "declined",
    };
    format!("{status}, {}", sum(&payment.sum))
}

fn gateway(seen: &Seen) -> String {
    let mut told = String::new();
    for capture in &seen.captures {
        let comma = if told.is_empty() { "" } else { "; " };
        // Writing into a string does not fail.
        write!(told, "{comma}{} under {}", sum(&capture.sum), capture.key).ok();
    }
    if told.is_empty() { "nothing".to_owned() } else { told }
}

/// Minor units as they are: whoever wrote a wrong sum by hand may have written one that is no amount.
fn sum(sum: &Sum) -> String {
    let amount = domain::Amount::from_minor(sum.minor);
    let minor = format!("{} minor units", sum.minor);
    format!("{} {}", amount.map_or(minor, |amount| amount.to_string()), sum.currency)
}

fn text(at: OffsetDateTime) -> String {
    let whole_second = at.replace_nanosecond(0).unwrap_or(at);
    whole_second.format(&Rfc3339).unwrap_or_default()
}
