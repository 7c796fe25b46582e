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

fn bench(books: Ledger) -> Rules {
    Rules { now: NOW, overdue: OVERDUE, books }
}

#[test]
fn every_way_an_order_may_be_is_right_or_wrong_in_its_own_way() {
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
        (order(Pending, 901), None, none(), vec![Kind::NotBegun]),
        (order(Confirmed, 0), None, none(), vec![Kind::ConfirmedNotCaptured]),
        (order(Confirmed, 0), payment(Started), mine(), vec![Kind::ConfirmedNotCaptured]),
        (order(Confirmed, 0), payment(Declined), none(), vec![Kind::ConfirmedNotCaptured]),
        (order(Confirmed, 0), payment(Captured), none(), vec![Kind::CaptureMissing]),
        (order(Canceled, 0), payment(Captured), mine(), vec![Kind::CanceledNotDeclined]),
        (order(Canceled, 0), None, none(), vec![Kind::CanceledNotDeclined]),
        (order(Canceled, 0), payment(Declined), mine(), vec![Kind::CaptureOfDeclined]),
        (None, payment(Declined), none(), vec![Kind::PaymentWithoutOrder]),
        (None, None, mine(), vec![Kind::CaptureUnrecorded]),
        (
            order(Confirmed, 0),
            payment(Captured),
            vec![capture(&own), capture("again")],
            vec![Kind::CapturedTwice],
        ),
        (
            order(Confirmed, 0),
            payment(Captured),
            vec![capture("other")],
            vec![Kind::CaptureMissing, Kind::CapturedUnderOtherKey],
        ),
    ] {
        let seen = Seen { order, payment, captures };
        assert_eq!(bench(Ledger::Simulated).violations(id(), &seen, false), wrong, "{seen:?}");
    }
}

#[test]
fn amounts_and_currencies_are_the_same_on_all_sides() {
    let right = Seen {
        order: order(OrderStatus::Confirmed, 0),
        payment: payment(PaymentStatus::Captured),
        captures: vec![capture(&id().to_string())],
    };
    assert!(bench(Ledger::Simulated).violations(id(), &right, false).is_empty());
    let mut wrong = [right.clone(), right.clone(), right];
    wrong[0].order.as_mut().unwrap().sum = sum(2);
    wrong[1].payment.as_mut().unwrap().sum.currency = "EUR".to_owned();
    wrong[2].captures[0].sum = sum(2);
    for seen in wrong {
        let found = bench(Ledger::Simulated).violations(id(), &seen, false);
        assert_eq!(found, [Kind::AmountDiffers], "{seen:?}");
    }
}

#[test]
fn a_pending_order_says_what_it_waits_for_and_is_overdue_only_without_a_reason() {
    let captured = payment(PaymentStatus::Captured);
    let mut long_ago = captured.clone();
    long_ago.as_mut().unwrap().ended = Some(OVERDUE * 2);
    for (payment, in_outbox, reason, wrong) in [
        (None, true, Reason::InOutbox, vec![]),
        (None, false, Reason::NotBegun, vec![Kind::NotBegun]),
        (payment(PaymentStatus::Started), false, Reason::UnknownCharge, vec![]),
        (captured, false, Reason::NotSettled, vec![]),
        (long_ago, false, Reason::NotSettled, vec![Kind::NotSettled]),
    ] {
        let seen = Seen { order: order(OrderStatus::Pending, 9999), payment, captures: vec![] };
        let closed = bench(Ledger::Closed);
        let unfinished = closed.unfinished(&seen, in_outbox).unwrap();
        assert_eq!(unfinished.pending.unwrap().0, reason);
        assert_eq!(unfinished.unknown.is_some(), reason == Reason::UnknownCharge);
        assert_eq!(closed.violations(id(), &seen, in_outbox), wrong);
    }
}
