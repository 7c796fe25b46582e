use db::audit::{CaptureRow, OrderRow, PaymentRow};

use super::*;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const OVERDUE: Duration = Duration::from_secs(900);

fn id() -> OrderId {
    "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5".parse().unwrap()
}

fn sum(minor: i64) -> Sum {
    Sum { minor, currency: "USD".to_owned() }
}

fn order(status: OrderStatus, age_s: u64) -> Option<OrderRow> {
    let placed_at = NOW - Duration::from_secs(age_s);
    Some(OrderRow { id: id(), status, sum: sum(1), placed_at })
}

fn payment(status: PaymentStatus) -> Option<PaymentRow> {
    let ended = (status != PaymentStatus::Started).then_some(Duration::from_secs(100));
    Some(PaymentRow { order_id: id(), status, sum: sum(1), started_at: NOW, ended })
}

fn capture(key: &str) -> CaptureRow {
    CaptureRow { key: key.to_owned(), order_id: id(), sum: sum(1) }
}

fn rules(ledger: Ledger) -> Rules {
    Rules { now: NOW, overdue: OVERDUE, ledger }
}

#[test]
fn each_combination_of_records_has_its_violations() {
    use OrderStatus::{Canceled, Confirmed, Pending};
    use PaymentStatus::{Captured, Declined, Started};
    let own = id().to_string();
    let mine = || vec![capture(&own)];
    let none = Vec::new;
    for (order, payment, captures, wrong) in [
        (order(Confirmed, 0), payment(Captured), mine(), vec![]),
        (order(Canceled, 0), payment(Declined), none(), vec![]),
        (order(Pending, 899), None, none(), vec![]),
        (order(Pending, 9999), payment(Started), none(), vec![]),
        (order(Pending, 9999), payment(Started), mine(), vec![]),
        (order(Pending, 9999), payment(Captured), mine(), vec![]),
        (None, None, none(), vec![]),
        (order(Pending, 901), None, none(), vec![ViolationKind::NotBegun]),
        (order(Confirmed, 0), None, none(), vec![ViolationKind::ConfirmedNotCaptured]),
        (order(Confirmed, 0), payment(Started), mine(), vec![ViolationKind::ConfirmedNotCaptured]),
        (order(Confirmed, 0), payment(Declined), none(), vec![ViolationKind::ConfirmedNotCaptured]),
        (order(Confirmed, 0), payment(Captured), none(), vec![ViolationKind::CaptureMissing]),
        (order(Canceled, 0), payment(Captured), mine(), vec![ViolationKind::CanceledNotDeclined]),
        (order(Canceled, 0), None, none(), vec![ViolationKind::CanceledNotDeclined]),
        (order(Canceled, 0), payment(Declined), mine(), vec![ViolationKind::CaptureOfDeclined]),
        (None, payment(Declined), none(), vec![ViolationKind::PaymentWithoutOrder]),
        (None, None, mine(), vec![ViolationKind::CaptureUnrecorded]),
        (
            order(Confirmed, 0),
            payment(Captured),
            vec![capture(&own), capture("again")],
            vec![ViolationKind::CapturedTwice],
        ),
        (
            order(Confirmed, 0),
            payment(Captured),
            vec![capture("other")],
            vec![ViolationKind::CaptureMissing, ViolationKind::CapturedUnderOtherKey],
        ),
    ] {
        let records = OrderRecords { order, payment, captures };
        assert_eq!(
            rules(Ledger::Simulated).violations(id(), &records, false),
            wrong,
            "{records:?}"
        );
    }
}

#[test]
fn amounts_and_currencies_are_the_same_on_all_sides() {
    let right = OrderRecords {
        order: order(OrderStatus::Confirmed, 0),
        payment: payment(PaymentStatus::Captured),
        captures: vec![capture(&id().to_string())],
    };
    assert!(rules(Ledger::Simulated).violations(id(), &right, false).is_empty());
    let mut wrong = [right.clone(), right.clone(), right];
    wrong[0].order.as_mut().unwrap().sum = sum(2);
    wrong[1].payment.as_mut().unwrap().sum.currency = "EUR".to_owned();
    wrong[2].captures[0].sum = sum(2);
    for records in wrong {
        let found = rules(Ledger::Simulated).violations(id(), &records, false);
        assert_eq!(found, [ViolationKind::AmountDiffers], "{records:?}");
    }
}

#[test]
fn a_pending_order_has_a_reason_to_wait_and_is_overdue_only_without_one() {
    let captured = payment(PaymentStatus::Captured);
    let mut long_ago = captured.clone();
    long_ago.as_mut().unwrap().ended = Some(OVERDUE * 2);
    for (payment, in_outbox, reason, violations) in [
        (None, true, WaitReason::InOutbox, vec![]),
        (None, false, WaitReason::NotBegun, vec![ViolationKind::NotBegun]),
        (payment(PaymentStatus::Started), false, WaitReason::UnknownCharge, vec![]),
        (captured, false, WaitReason::NotSettled, vec![]),
        (long_ago, false, WaitReason::NotSettled, vec![ViolationKind::NotSettled]),
    ] {
        let records =
            OrderRecords { order: order(OrderStatus::Pending, 9999), payment, captures: vec![] };
        let rules = rules(Ledger::Unreadable);
        let unfinished = rules.unfinished(&records, in_outbox).unwrap();
        assert_eq!(unfinished.pending.unwrap().0, reason);
        assert_eq!(unfinished.unknown.is_some(), reason == WaitReason::UnknownCharge);
        assert_eq!(rules.violations(id(), &records, in_outbox), violations);
    }
}
