use std::time::Duration;

use db::gateway_ledger::{Capture, attempt, capture, captured};
use db::payments::{FinishPayment, Payment, ScheduledCopy, StartOutcome, StartPayment};
use db::payments::{finish, note_scheduled, start};
use db::timeline::scheduled;
use domain::{Amount, Currency, OrderId, PaymentId, Reason, Verdict};
use testkit::eventually;

use super::store::{HOUR, Store, anna, bob};

fn starting(order_id: OrderId, minor: i64) -> StartPayment {
    StartPayment {
        order_id,
        payment_id: PaymentId::new(),
        amount: Amount::from_minor(minor).unwrap(),
        currency: Currency::Usd,
        payment_method: None,
    }
}

#[tokio::test]
async fn a_payment_is_started_once_and_keeps_its_first_amount() {
    let store = Store::fresh().await;
    let order = OrderId::new();
    let (first, second) = (starting(order, 100), starting(order, 999));
    let batch = [first.clone(), second, starting(OrderId::new(), 5)];

    let started = start(&store.db, &anna(), &batch, HOUR).await.unwrap();

    let StartOutcome::First(payment) = &started[0] else { panic!("{:?}", started[0]) };
    assert_eq!((payment.id, payment.amount), (first.payment_id, first.amount));
    let again = |attempt| StartOutcome::Again(Payment { attempt, ..payment.clone() });
    assert_eq!((payment.attempt, &started[1]), (1, &again(2)));
    assert!(matches!(started[2], StartOutcome::First(_)));
    let later = start(&store.db, &bob(), &[starting(order, 7)], HOUR).await.unwrap();
    assert_eq!(later, [again(3)]);
    // What was committed and not heard of is not taken a second time.
    let repeated = start(&store.db, &anna(), &[first], HOUR).await.unwrap();
    assert_eq!(repeated, [again(3)]);
}

#[tokio::test]
async fn the_first_verdict_that_is_recorded_stays() {
    let store = Store::fresh().await;
    let orders: Vec<OrderId> = (0..3).map(|_| OrderId::new()).collect();
    let batch: Vec<_> = orders.iter().map(|order| starting(*order, 100)).collect();
    start(&store.db, &anna(), &batch, HOUR).await.unwrap();
    let why = || Verdict::Declined(Some(Reason::from_text("why")));
    let says = |i: usize, verdict| FinishPayment { order_id: orders[i], verdict, attempt: 1 };

    let batch = [says(2, why()), says(0, Verdict::Captured), says(0, why())];
    let recorded = finish(&store.db, &anna(), &batch).await.unwrap();
    let later =
        finish(&store.db, &anna(), &[says(2, Verdict::Captured), says(1, why())]).await.unwrap();

    assert_eq!(recorded, [why(), Verdict::Captured, Verdict::Captured]);
    assert_eq!(later, [why(), why()]);
    let again = start(&store.db, &anna(), &[starting(orders[0], 100)], HOUR).await.unwrap();
    let StartOutcome::Again(payment) = &again[0] else { panic!("{again:?}") };
    assert_eq!(payment.verdict, Some(Verdict::Captured));
}

#[tokio::test]
async fn a_scheduled_copy_is_known_until_it_is_overdue_or_the_payment_ends() {
    let store = Store::fresh().await;
    let orders: Vec<OrderId> = (0..3).map(|_| OrderId::new()).collect();
    let batch: Vec<_> = orders.iter().map(|order| starting(*order, 100)).collect();
    start(&store.db, &anna(), &batch, HOUR).await.unwrap();
    let ended = FinishPayment { order_id: orders[2], verdict: Verdict::Captured, attempt: 1 };
    finish(&store.db, &anna(), &[ended]).await.unwrap();
    let copy = |i: usize, number| ScheduledCopy {
        order_id: orders[i],
        number,
        due_in: Duration::from_millis(1),
    };
    note_scheduled(&store.db, &[copy(2, 1), copy(0, 3)]).await.unwrap();

    assert_eq!(scheduled(&store.db, &orders, HOUR).await.unwrap(), [orders[0]].into());
    let number = async |grace| {
        let again = start(&store.db, &bob(), &[starting(orders[0], 1)], grace).await.unwrap();
        let StartOutcome::Again(payment) = &again[0] else { panic!("{again:?}") };
        payment.scheduled
    };
    assert_eq!(number(HOUR).await, 3);
    eventually("the copy to be overdue", HOUR, async || number(Duration::ZERO).await == 0).await;
    assert_eq!(scheduled(&store.db, &orders, Duration::ZERO).await.unwrap(), [].into());
    // A re-request starts anew.
    note_scheduled(&store.db, &[copy(0, 1)]).await.unwrap();
    assert_eq!(number(HOUR).await, 1);
}

#[tokio::test]
async fn the_ledger_captures_once_a_key() {
    let store = Store::fresh().await;
    let one = |key: &str| Capture {
        key: key.to_owned(),
        order_id: OrderId::new(),
        amount: Amount::from_minor(1).unwrap(),
        currency: Currency::Usd,
    };
    capture(&store.db, &[one("a"), one("b"), one("a")]).await.unwrap();
    capture(&store.db, &[one("a")]).await.unwrap();

    let keys = ["a", "b", "c"].map(str::to_owned);
    let found = captured(&store.db, &keys).await.unwrap();

    assert_eq!(found, keys[..2].iter().cloned().collect());
    assert_eq!(store.count("select count(*) from simulated_gateway.captures").await, 2);
    for wanted in 1..=3 {
        assert_eq!(attempt(&store.db, "a").await.unwrap(), wanted);
    }
}

/// Number of second versions of rows that were not stored beside the first.
const ELSEWHERE: &str = "
    select (n_tup_upd - n_tup_hot_upd)::bigint from pg_stat_user_tables
     where schemaname = 'payments' and relname = 'payments'";
const UPDATED: &str = "
    select n_tup_upd::bigint from pg_stat_user_tables
     where schemaname = 'payments' and relname = 'payments'";

#[tokio::test]
async fn a_payments_second_version_lands_beside_its_first_and_names_its_worker_once() {
    let store = Store::fresh().await;
    let orders: Vec<OrderId> = (0..500).map(|_| OrderId::new()).collect();
    let batch: Vec<_> = orders.iter().map(|order| starting(*order, 100)).collect();
    start(&store.db, &anna(), &batch, HOUR).await.unwrap();
    let says = |order: &OrderId| FinishPayment {
        order_id: *order,
        verdict: Verdict::Captured,
        attempt: 1,
    };
    let said: Vec<_> = orders.iter().map(says).collect();
    finish(&store.db, &anna(), &said).await.unwrap();

    eventually("the statistics to arrive", Duration::from_secs(60), async || {
        store.db.ping().await.unwrap();
        store.count(UPDATED).await == 500
    })
    .await;
    // The last few of a page have no room when all of the page ends at once.
    let elsewhere = store.count(ELSEWHERE).await;
    assert!(elsewhere < 40, "an index learned of the end of {elsewhere} payments");
    let named = "select count(*) from payments.payments where started_by = 'anna/1'
                    and num_nulls(ended_by, ended_at_attempt, taken, taken_at, taken_by) = 5";
    assert_eq!(store.count(named).await, 500, "more is written than one name");
    assert_eq!(store.count("select count(*) from payments.unanswered_calls").await, 0);
}
