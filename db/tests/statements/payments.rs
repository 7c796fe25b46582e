use common::domain::{Amount, Currency, OrderId, PaymentId, Reason, Verdict};
use db::gateway_ledger::{Capture, attempt, capture, captured};
use db::payments::{Finishing, Started, Starting, finish, start};

use super::store::Store;

fn starting(order_id: OrderId, minor: i64) -> Starting {
    Starting {
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

    let started = start(&store.db, &batch).await.unwrap();

    let Started::First(payment) = &started[0] else { panic!("{:?}", started[0]) };
    assert_eq!((payment.id, payment.amount), (first.payment_id, first.amount));
    assert_eq!(started[1], Started::Again(payment.clone()));
    assert!(matches!(started[2], Started::First(_)));
    let later = start(&store.db, &[starting(order, 7)]).await.unwrap();
    assert_eq!(later, [Started::Again(payment.clone())]);
}

#[tokio::test]
async fn the_first_verdict_that_is_recorded_stays() {
    let store = Store::fresh().await;
    let orders: Vec<OrderId> = (0..3).map(|_| OrderId::new()).collect();
    let batch: Vec<_> = orders.iter().map(|order| starting(*order, 100)).collect();
    start(&store.db, &batch).await.unwrap();
    let why = || Verdict::Declined(Some(Reason::from_text("why")));
    let says = |i: usize, verdict| Finishing { order_id: orders[i], verdict };

    let batch = [says(2, why()), says(0, Verdict::Captured), says(0, why())];
    let recorded = finish(&store.db, &batch).await.unwrap();
    let later = finish(&store.db, &[says(2, Verdict::Captured), says(1, why())]).await.unwrap();

    assert_eq!(recorded, [why(), Verdict::Captured, Verdict::Captured]);
    assert_eq!(later, [why(), why()]);
    let again = start(&store.db, &[starting(orders[0], 100)]).await.unwrap();
    let Started::Again(payment) = &again[0] else { panic!("{again:?}") };
    assert_eq!(payment.verdict, Some(Verdict::Captured));
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
