//! Every check finds the breach it exists for, and finds nothing in a campaign without a breach.

use uuid::Uuid;

use super::super::evidence::{Evidence, Exit, Memory, ReadinessCheck};
use super::super::history::{Answer, Attempt, Card, FollowUp, FollowUpKind, Placement};
use super::super::ledger::{CaptureRow, OrderRow, PaymentRow, QueuedMessage, StatusChange};
use super::check;

const PAID: Uuid = Uuid::from_u128(1);
const DECLINED: Uuid = Uuid::from_u128(2);
const SILENT: Uuid = Uuid::from_u128(3);

fn answered(id: Uuid, status: &str, at: f64) -> Attempt {
    let answer = Answer::Order { id, status: status.to_owned() };
    Attempt { at, took: 0.1, process: 0, answer }
}

fn refused(status: u16, retry_after: bool) -> Attempt {
    let answer = Answer::Refusal { status, retry_after, text: "no".to_owned() };
    Attempt { at: 1.0, took: 0.1, process: 0, answer }
}

fn queued(queue: &str, body: &str) -> QueuedMessage {
    let reason = Some("unreadable".to_owned());
    QueuedMessage { queue: queue.to_owned(), body: body.to_owned(), attempts: None, reason }
}

fn request(order: Uuid, attempts: i64) -> QueuedMessage {
    let body = format!("{{\"orderId\":\"{order}\"}}");
    QueuedMessage { attempts: Some(attempts), ..queued("processingorders.retry.200", &body) }
}

fn moved(order_id: Uuid, was: &str, became: &str) -> StatusChange {
    StatusChange { order_id, was: was.to_owned(), became: became.to_owned(), at: 2.0 }
}

fn payment(order_id: Uuid, status: &str, finished_at: Option<f64>) -> PaymentRow {
    let status = status.to_owned();
    PaymentRow { order_id, status, amount_minor: 19_900, started_at: 1.0, finished_at }
}

fn later(kind: FollowUpKind, seen: Attempt) -> FollowUp {
    FollowUp { order: PAID, key: "paid".to_owned(), kind, seen }
}

/// A campaign of three orders: one paid, one declined, and one without a verdict of the gateway.
fn good() -> Evidence {
    let mut good = Evidence::default();
    for (id, key, card) in [
        (PAID, "paid", Card::Visa),
        (DECLINED, "declined", Card::Declined),
        (SILENT, "silent", Card::NeverAnswers),
    ] {
        let key = key.to_owned();
        let attempts = vec![refused(503, true), answered(id, "Pending", 1.0)];
        good.history.placements.push(Placement {
            key: key.clone(),
            card,
            attempts,
            gives_up: false,
        });
        let status = card.end().to_owned();
        let row = OrderRow { id, key: Some(key), status, total_minor: 19_900, created_at: 1.0 };
        good.ledger.orders.push(row);
    }
    good.history.later.push(later(FollowUpKind::Read, answered(PAID, "Confirmed", 3.0)));
    good.history.later.push(later(FollowUpKind::Again, answered(PAID, "Pending", 4.0)));
    good.history.later.push(later(FollowUpKind::OtherBody, refused(422, false)));
    good.ledger.payments.push(payment(PAID, "captured", Some(2.0)));
    good.ledger.payments.push(payment(DECLINED, "declined", Some(2.0)));
    good.ledger.payments.push(payment(SILENT, "started", None));
    let key = PAID.to_string();
    good.ledger.captures.push(CaptureRow { key, order_id: PAID, amount_minor: 19_900, at: 1.5 });
    good.ledger.moves.push(moved(PAID, "Pending", "Confirmed"));
    good.ledger.moves.push(moved(DECLINED, "Pending", "Canceled"));
    good.ledger.queued.push(request(SILENT, 3));
    good.ledger.queued.push(queued("processingorders.dead", "not an order: word"));
    good.ledger.read_at = 20.0;
    good.adversary.nonsense.push("word".to_owned());
    let process = || "worker-0".to_owned();
    good.exits.push(Exit { process: process(), at: 9.0, took: 1.0, code: Some(0) });
    good.readiness_checks.push(ReadinessCheck {
        process: process(),
        at: 9.0,
        ready: None,
        wanted: false,
    });
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
    for placement in &mut evidence.history.placements {
        placement.gives_up = true;
        placement.attempts.truncate(1);
    }
    evidence.history.later.clear();
    evidence.ledger.orders.retain(|row| row.id != DECLINED);
    evidence.ledger.payments.retain(|row| row.order_id != DECLINED);
    let tally = check(&evidence).tally;
    assert_eq!((tally.attempts, tally.acknowledged), (3, 0));
    assert_eq!((tally.recovered, tally.not_placed, tally.lost), (2, 1, 0));
}

/// The name of a check, and a change to good evidence that this check has to find.
type Breach = (&'static str, fn(&mut Evidence));

const BREACHES: [Breach; 33] = [
    ("P1 lost", |e| e.ledger.orders.retain(|row| row.id != DECLINED)),
    ("P1 stuck", |e| e.ledger.orders[0].status = "Pending".to_owned()),
    ("P1 unread", |e| e.history.later.push(later(FollowUpKind::Read, refused(404, false)))),
    ("P1 unexpected-order", |e| e.ledger.orders[0].key = Some("unknown".to_owned())),
    ("P1 unexpected-payment", |e| e.ledger.payments.push(payment(Uuid::nil(), "started", None))),
    ("P2 captured-twice", |e| e.ledger.captures.push(e.ledger.captures[0].clone())),
    ("P2 captured-not-confirmed", |e| e.ledger.orders[0].status = "Canceled".to_owned()),
    ("P2 captured-not-confirmed", |e| e.ledger.captures[0].order_id = Uuid::nil()),
    ("P2 confirmed-not-captured", |e| e.ledger.captures.clear()),
    ("P2 another-amount", |e| e.ledger.captures[0].amount_minor = 1),
    ("P2 another-amount", |e| e.ledger.payments[1].amount_minor = 1),
    ("P2 auditor", |e| e.audit = Some("captured_twice".to_owned())),
    ("P3 false-verdict", |e| e.ledger.orders[2].status = "Canceled".to_owned()),
    ("P3 false-verdict", |e| e.ledger.orders[1].status = "Confirmed".to_owned()),
    ("P3 forgotten", |e| e.ledger.queued.retain(|message| message.attempts.is_none())),
    ("P3 no-delay", |e| e.ledger.queued.push(request(SILENT, 100))),
    ("P4 outbox-not-empty", |e| e.ledger.outbox = 1),
    ("P4 result-not-read", |e| e.ledger.queued.push(queued("processedorders", "{}"))),
    ("P4 reply-lost", |e| e.ledger.orders[1].status = "Pending".to_owned()),
    ("P5 moved-wrongly", |e| e.ledger.moves.push(moved(PAID, "Confirmed", "Canceled"))),
    ("P5 moved-twice", |e| e.ledger.moves.push(moved(PAID, "Pending", "Confirmed"))),
    ("P5 read-going-back", |e| {
        e.history.later.push(later(FollowUpKind::Read, answered(PAID, "Canceled", 5.0)));
    }),
    ("P6 nonsense-gone", |e| e.adversary.nonsense.push("other".to_owned())),
    ("P6 good-one-dead-lettered", |e| {
        let body = format!("[{{\"orderId\":\"{PAID}\"}}]");
        e.ledger.queued.push(queued("processingorders.dead", &body));
    }),
    ("P6 no-reason", |e| e.ledger.queued[1].reason = None),
    ("P7 another-answer", |e| {
        e.history.later.push(later(FollowUpKind::Again, answered(DECLINED, "Pending", 5.0)));
    }),
    ("P7 other-body", |e| {
        e.history.later.push(later(FollowUpKind::OtherBody, answered(PAID, "Pending", 5.0)));
    }),
    ("P7 second-order", |e| e.ledger.orders[1].key = Some("paid".to_owned())),
    ("P8 untrue-readiness", |e| e.readiness_checks[0].ready = Some(true)),
    ("P8 never-answered", |e| e.history.placements[0].attempts.truncate(1)),
    ("P9 bad-end", |e| e.exits[0].code = None),
    ("P10 undocumented", |e| e.history.placements[0].attempts[0] = refused(503, false)),
    ("P10 memory", |e| e.memory[0].mb = 1_000.0),
];

#[test]
fn each_check_finds_its_breach() {
    for (wanted, breach) in BREACHES {
        let mut evidence = good();
        breach(&mut evidence);
        let found = check(&evidence).findings;
        let names: Vec<String> =
            found.iter().map(|finding| format!("{} {}", finding.promise, finding.check)).collect();
        assert!(names.iter().any(|name| name == wanted), "{wanted} was not found, only {names:?}");
    }
}
