//! Every check finds what it is for, and finds nothing in a campaign that went well.

use uuid::Uuid;

use super::super::books::{CaptureRow, Left, Move, OrderRow, PaymentRow};
use super::super::evidence::{Evidence, Exit, Look, Memory};
use super::super::history::{Answer, Asked, Card, Later, Placing, Try};
use super::check;

const PAID: Uuid = Uuid::from_u128(1);
const DECLINED: Uuid = Uuid::from_u128(2);
const SILENT: Uuid = Uuid::from_u128(3);

fn answered(id: Uuid, status: &str, at: f64) -> Try {
    let answer = Answer::Order { id, status: status.to_owned() };
    Try { at, took: 0.1, process: 0, answer }
}

fn refused(status: u16, retry_after: bool) -> Try {
    let answer = Answer::Refusal { status, retry_after, text: "no".to_owned() };
    Try { at: 1.0, took: 0.1, process: 0, answer }
}

fn letter(queue: &str, body: &str) -> Left {
    let reason = Some("unreadable".to_owned());
    Left { queue: queue.to_owned(), body: body.to_owned(), attempts: None, reason }
}

fn request(order: Uuid, attempts: i64) -> Left {
    let body = format!("{{\"orderId\":\"{order}\"}}");
    Left { attempts: Some(attempts), ..letter("processingorders.retry.200", &body) }
}

fn moved(order_id: Uuid, was: &str, became: &str) -> Move {
    Move { order_id, was: was.to_owned(), became: became.to_owned(), at: 2.0 }
}

fn payment(order_id: Uuid, status: &str, finished_at: Option<f64>) -> PaymentRow {
    let status = status.to_owned();
    PaymentRow { order_id, status, amount_minor: 19_900, started_at: 1.0, finished_at }
}

fn later(asked: Asked, seen: Try) -> Later {
    Later { order: PAID, key: "paid".to_owned(), asked, seen }
}

/// Three orders: one was paid, one declined, and for one the gateway has no verdict.
fn good() -> Evidence {
    let mut good = Evidence::default();
    for (id, key, card) in [
        (PAID, "paid", Card::Visa),
        (DECLINED, "declined", Card::Declined),
        (SILENT, "silent", Card::NeverAnswers),
    ] {
        let key = key.to_owned();
        let tries = vec![refused(503, true), answered(id, "Pending", 1.0)];
        good.history.placings.push(Placing { key: key.clone(), card, tries, fickle: false });
        let status = card.end().to_owned();
        let row = OrderRow { id, key: Some(key), status, total_minor: 19_900, created_at: 1.0 };
        good.books.orders.push(row);
    }
    good.history.later.push(later(Asked::Read, answered(PAID, "Confirmed", 3.0)));
    good.history.later.push(later(Asked::Again, answered(PAID, "Pending", 4.0)));
    good.history.later.push(later(Asked::OtherBody, refused(422, false)));
    good.books.payments.push(payment(PAID, "captured", Some(2.0)));
    good.books.payments.push(payment(DECLINED, "declined", Some(2.0)));
    good.books.payments.push(payment(SILENT, "started", None));
    let key = PAID.to_string();
    good.books.captures.push(CaptureRow { key, order_id: PAID, amount_minor: 19_900, at: 1.5 });
    good.books.moves.push(moved(PAID, "Pending", "Confirmed"));
    good.books.moves.push(moved(DECLINED, "Pending", "Canceled"));
    good.books.left.push(request(SILENT, 3));
    good.books.left.push(letter("processingorders.dead", "not an order: word"));
    good.books.read_at = 20.0;
    good.intrusions.nonsense.push("word".to_owned());
    let process = || "worker-0".to_owned();
    good.exits.push(Exit { process: process(), at: 9.0, took: 1.0, code: Some(0) });
    good.looks.push(Look { process: process(), at: 9.0, ready: None, wanted: false });
    good.memory.push(Memory { process: process(), at: 9.0, mb: 20.0 });
    good
}

#[test]
fn in_a_good_campaign_nothing_is_found() {
    let verdict = check(&good());
    assert_eq!(verdict.findings, []);
    assert_eq!(verdict.broken(), [""; 0]);
    let tally = verdict.tally;
    assert_eq!((tally.attempts, tally.acknowledged, tally.ok), (3, 3, 3));
    assert_eq!((tally.lost, tally.duplicated, tally.unexpected, tally.recovered), (0, 0, 0, 0));
}

#[test]
fn an_order_without_an_answer_is_recovered_or_was_never_placed() {
    let mut evidence = good();
    for placing in &mut evidence.history.placings {
        placing.fickle = true;
        placing.tries.truncate(1);
    }
    evidence.history.later.clear();
    evidence.books.orders.retain(|row| row.id != DECLINED);
    evidence.books.payments.retain(|row| row.order_id != DECLINED);
    let tally = check(&evidence).tally;
    assert_eq!((tally.attempts, tally.acknowledged), (3, 0));
    assert_eq!((tally.recovered, tally.not_placed, tally.lost), (2, 1, 0));
}

/// What a campaign looks like in which one thing went wrong, and the check that has to see it.
type Sabotage = (&'static str, fn(&mut Evidence));

const SABOTAGES: [Sabotage; 33] = [
    ("P1 lost", |e| e.books.orders.retain(|row| row.id != DECLINED)),
    ("P1 stuck", |e| e.books.orders[0].status = "Pending".to_owned()),
    ("P1 unread", |e| e.history.later.push(later(Asked::Read, refused(404, false)))),
    ("P1 unexpected-order", |e| e.books.orders[0].key = Some("nobody's".to_owned())),
    ("P1 unexpected-payment", |e| e.books.payments.push(payment(Uuid::nil(), "started", None))),
    ("P2 captured-twice", |e| e.books.captures.push(e.books.captures[0].clone())),
    ("P2 captured-not-confirmed", |e| e.books.orders[0].status = "Canceled".to_owned()),
    ("P2 captured-not-confirmed", |e| e.books.captures[0].order_id = Uuid::nil()),
    ("P2 confirmed-not-captured", |e| e.books.captures.clear()),
    ("P2 another-amount", |e| e.books.captures[0].amount_minor = 1),
    ("P2 another-amount", |e| e.books.payments[1].amount_minor = 1),
    ("P2 auditor", |e| e.audit = Some("captured_twice".to_owned())),
    ("P3 false-verdict", |e| e.books.orders[2].status = "Canceled".to_owned()),
    ("P3 false-verdict", |e| e.books.orders[1].status = "Confirmed".to_owned()),
    ("P3 forgotten", |e| e.books.left.retain(|left| left.attempts.is_none())),
    ("P3 no-delay", |e| e.books.left.push(request(SILENT, 100))),
    ("P4 outbox-not-empty", |e| e.books.outbox = 1),
    ("P4 result-not-read", |e| e.books.left.push(letter("processedorders", "{}"))),
    ("P4 reply-lost", |e| e.books.orders[1].status = "Pending".to_owned()),
    ("P5 moved-wrongly", |e| e.books.moves.push(moved(PAID, "Confirmed", "Canceled"))),
    ("P5 moved-twice", |e| e.books.moves.push(moved(PAID, "Pending", "Confirmed"))),
    ("P5 read-going-back", |e| {
        e.history.later.push(later(Asked::Read, answered(PAID, "Canceled", 5.0)));
    }),
    ("P6 nonsense-gone", |e| e.intrusions.nonsense.push("other".to_owned())),
    ("P6 good-one-parked", |e| {
        let body = format!("[{{\"orderId\":\"{PAID}\"}}]");
        e.books.left.push(letter("processingorders.dead", &body));
    }),
    ("P6 no-reason", |e| e.books.left[1].reason = None),
    ("P7 another-answer", |e| {
        e.history.later.push(later(Asked::Again, answered(DECLINED, "Pending", 5.0)));
    }),
    ("P7 other-body", |e| {
        e.history.later.push(later(Asked::OtherBody, answered(PAID, "Pending", 5.0)));
    }),
    ("P7 second-order", |e| e.books.orders[1].key = Some("paid".to_owned())),
    ("P8 untrue-readiness", |e| e.looks[0].ready = Some(true)),
    ("P8 never-answered", |e| e.history.placings[0].tries.truncate(1)),
    ("P9 bad-end", |e| e.exits[0].code = None),
    ("P10 undocumented", |e| e.history.placings[0].tries[0] = refused(503, false)),
    ("P10 memory", |e| e.memory[0].mb = 1_000.0),
];

#[test]
fn each_check_finds_what_it_is_for() {
    for (wanted, sabotage) in SABOTAGES {
        let mut evidence = good();
        sabotage(&mut evidence);
        let found = check(&evidence).findings;
        let names: Vec<String> =
            found.iter().map(|finding| format!("{} {}", finding.promise, finding.check)).collect();
        assert!(names.iter().any(|name| name == wanted), "{wanted} was not found, only {names:?}");
    }
}
