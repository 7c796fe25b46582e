//! Everything that is known about one order, in the order in which it happened.

use uuid::Uuid;

use super::super::checker::Finding;
use super::super::history::{Answer, Try};
use super::super::run::Ran;

/// A fault belongs to the story if it began up to so many seconds before or after.
const AROUND_SECONDS: f64 = 20.0;
const LINES_MAX: usize = 60;

/// The story of the finding's order; nothing if it is about none.
pub(super) fn of(ran: &Ran, finding: &Finding) -> Vec<String> {
    let Some(order) = finding.order else { return Vec::new() };
    let mut told = from_clients(ran, order);
    told.extend(from_books(ran, order));
    told.sort_by(|a, b| a.0.total_cmp(&b.0));
    let from = told.first().map_or(0.0, |first| first.0) - AROUND_SECONDS;
    let until = told.iter().map(|line| line.0).filter(|at| at.is_finite()).fold(from, f64::max);
    let near = ran.evidence.marks.iter().filter(|mark| {
        mark.back > from && mark.began < until.min(from + 3.0 * AROUND_SECONDS) + AROUND_SECONDS
    });
    told.extend(
        near.map(|mark| (mark.began, format!("fault: {}, back at {:.1} s", mark.fault, mark.back))),
    );
    told.sort_by(|a, b| a.0.total_cmp(&b.0));
    let timed = |(at, what): (f64, String)| {
        if at.is_finite() { format!("{at:9.3} s  {what}") } else { format!("in the end   {what}") }
    };
    let logged = ran.logs.iter().flat_map(|(process, log)| {
        let id = order.to_string();
        let lines = log.lines().filter(move |line| line.contains(&id));
        lines.map(move |line| format!("{process}: {line}"))
    });
    told.into_iter().map(timed).chain(logged).take(LINES_MAX).collect()
}

fn from_clients(ran: &Ran, order: Uuid) -> Vec<(f64, String)> {
    let history = &ran.evidence.history;
    let key = ran.evidence.books.orders.iter().find(|row| row.id == order);
    let key = key.and_then(|row| row.key.as_deref());
    let placings = history.placings.iter();
    let placing = placings.filter(|p| p.accepted() == Some(order) || Some(&*p.key) == key);
    let mut told = Vec::new();
    for placing in placing {
        let card = placing.card;
        told.extend(placing.tries.iter().map(|tried| {
            (
                tried.at,
                format!("POST {} {card:?} at {}: {}", placing.key, tried.process, said(tried)),
            )
        }));
    }
    for later in history.later.iter().filter(|later| later.order == order) {
        let what = format!("{:?} at {}: {}", later.asked, later.seen.process, said(&later.seen));
        told.push((later.seen.at, what));
    }
    let intrusions = &ran.evidence.intrusions;
    for (what, orders) in [
        ("its request was sent once more", &intrusions.requests),
        ("its result was sent once more", &intrusions.repeated),
        ("the opposite result was sent", &intrusions.contradicting),
    ] {
        let times = orders.iter().filter(|id| **id == order);
        told.extend(times.map(|_| (f64::INFINITY, format!("by the intruder: {what}"))));
    }
    told
}

fn said(tried: &Try) -> String {
    let said = match &tried.answer {
        Answer::Order { id, status } => format!("{id} {status}"),
        Answer::Refusal { status, text, .. } => format!("{status} {text}"),
        Answer::Silence(why) => why.clone(),
    };
    format!("{said} after {:.3} s", tried.took)
}

fn from_books(ran: &Ran, order: Uuid) -> Vec<(f64, String)> {
    let books = &ran.evidence.books;
    let mut told = Vec::new();
    for row in books.orders.iter().filter(|row| row.id == order) {
        let what = format!("orders: {} {:?} {}", row.status, row.key, row.total_minor);
        told.push((row.created_at, what));
    }
    for row in books.payments.iter().filter(|row| row.order_id == order) {
        let end = row.finished_at.map_or("never".to_owned(), |at| format!("at {at:.3} s"));
        let what = format!("payments: {} {}, finished {end}", row.status, row.amount_minor);
        told.push((row.started_at, what));
    }
    for row in books.captures.iter().filter(|row| row.order_id == order) {
        told.push((row.at, format!("captured {} under {}", row.amount_minor, row.key)));
    }
    for row in books.moves.iter().filter(|row| row.order_id == order) {
        told.push((row.at, format!("{} became {}", row.was, row.became)));
    }
    let id = order.to_string();
    for left in books.left.iter().filter(|left| left.body.contains(&id)) {
        let what = format!("in {}, attempts {:?}, {:?}", left.queue, left.attempts, left.reason);
        told.push((f64::INFINITY, what));
    }
    told
}
