//! All records about one order, by time.

use uuid::Uuid;

use super::super::checker::Finding;
use super::super::history::{Answer, Attempt};
use super::super::run::CampaignRun;

/// Faults that began up to this many seconds before or after the order's records are included.
const AROUND_SECONDS: f64 = 20.0;
const LINES_MAX: usize = 60;

/// The records about the finding's order; empty if the finding concerns no single order.
pub(super) fn of(ran: &CampaignRun, finding: &Finding) -> Vec<String> {
    let Some(order) = finding.order else { return Vec::new() };
    let mut records = from_clients(ran, order);
    records.extend(from_ledger(ran, order));
    records.sort_by(|a, b| a.0.total_cmp(&b.0));
    let from = records.first().map_or(0.0, |first| first.0) - AROUND_SECONDS;
    let until = records.iter().map(|line| line.0).filter(|at| at.is_finite()).fold(from, f64::max);
    let near = ran.evidence.faults.iter().filter(|injected| {
        injected.back > from
            && injected.began < until.min(from + 3.0 * AROUND_SECONDS) + AROUND_SECONDS
    });
    records.extend(near.map(|injected| {
        (injected.began, format!("fault: {}, back at {:.1} s", injected.fault, injected.back))
    }));
    records.sort_by(|a, b| a.0.total_cmp(&b.0));
    let timed = |(at, what): (f64, String)| {
        if at.is_finite() { format!("{at:9.3} s  {what}") } else { format!("at the end   {what}") }
    };
    let logged = ran.logs.iter().flat_map(|(process, log)| {
        let id = order.to_string();
        let lines = log.lines().filter(move |line| line.contains(&id));
        lines.map(move |line| format!("{process}: {line}"))
    });
    records.into_iter().map(timed).chain(logged).take(LINES_MAX).collect()
}

fn from_clients(ran: &CampaignRun, order: Uuid) -> Vec<(f64, String)> {
    let history = &ran.evidence.history;
    let key = ran.evidence.ledger.orders.iter().find(|row| row.id == order);
    let key = key.and_then(|row| row.key.as_deref());
    let placements = history.placements.iter();
    let placement = placements.filter(|p| p.accepted() == Some(order) || Some(&*p.key) == key);
    let mut records = Vec::new();
    for placement in placement {
        let card = placement.card;
        records.extend(placement.attempts.iter().map(|attempt| {
            (
                attempt.at,
                format!(
                    "POST {} {card:?} at {}: {}",
                    placement.key,
                    attempt.process,
                    answer(attempt)
                ),
            )
        }));
    }
    for later in history.later.iter().filter(|later| later.order == order) {
        let what = format!("{:?} at {}: {}", later.kind, later.seen.process, answer(&later.seen));
        records.push((later.seen.at, what));
    }
    let adversary = &ran.evidence.adversary;
    for (what, orders) in [
        ("its request was sent once more", &adversary.requests),
        ("its result was sent once more", &adversary.repeated),
        ("the opposite result was sent", &adversary.contradicting),
    ] {
        let times = orders.iter().filter(|id| **id == order);
        records.extend(times.map(|_| (f64::INFINITY, format!("adversary: {what}"))));
    }
    records
}

fn answer(attempt: &Attempt) -> String {
    let answer = match &attempt.answer {
        Answer::Order { id, status } => format!("{id} {status}"),
        Answer::Refusal { status, text, .. } => format!("{status} {text}"),
        Answer::Silence(why) => why.clone(),
    };
    format!("{answer} after {:.3} s", attempt.took)
}

fn from_ledger(ran: &CampaignRun, order: Uuid) -> Vec<(f64, String)> {
    let ledger = &ran.evidence.ledger;
    let mut records = Vec::new();
    for row in ledger.orders.iter().filter(|row| row.id == order) {
        let what = format!("orders: {} {:?} {}", row.status, row.key, row.total_minor);
        records.push((row.created_at, what));
    }
    for row in ledger.payments.iter().filter(|row| row.order_id == order) {
        let end = row.finished_at.map_or("never".to_owned(), |at| format!("at {at:.3} s"));
        let what = format!("payments: {} {}, finished {end}", row.status, row.amount_minor);
        records.push((row.started_at, what));
    }
    for row in ledger.captures.iter().filter(|row| row.order_id == order) {
        records.push((row.at, format!("captured {} under {}", row.amount_minor, row.key)));
    }
    for row in ledger.moves.iter().filter(|row| row.order_id == order) {
        records.push((row.at, format!("{} became {}", row.was, row.became)));
    }
    let id = order.to_string();
    for message in ledger.queued.iter().filter(|message| message.body.contains(&id)) {
        let what =
            format!("in {}, attempts {:?}, {:?}", message.queue, message.attempts, message.reason);
        records.push((f64::INFINITY, what));
    }
    records
}
