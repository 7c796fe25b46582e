use std::time::Duration;

use db::audit::{PaymentStatus, Range, payments_between, payments_of};
use db::payments::{FinishPayment, StartOutcome, StartPayment, finish, pruned, start};
use db::payments::{copy_pruned, remove_pruned};
use db::timeline;
use domain::{Amount, Currency, OrderId, PaymentId, Reason, Verdict};
use uuid::Uuid;

use super::store::{HOUR, Store, anna, bob};

fn starting(order_id: OrderId) -> StartPayment {
    StartPayment {
        order_id,
        payment_id: PaymentId::new(),
        amount: Amount::from_minor(19900).unwrap(),
        currency: Currency::Usd,
        payment_method: None,
    }
}

/// An order that was placed two days ago.
fn old_id(n: u128) -> OrderId {
    let new = OrderId::new().0.as_u128();
    OrderId(Uuid::from_u128(new - ((2 * 86_400_000_u128) << 80) + n))
}

const AGE: &str = "
    update payments.payments set started_at = started_at - interval '2 days',
           finished_at = finished_at - interval '2 days' where order_id < $1";
const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn a_pruned_payment_keeps_its_ids_and_its_verdict_and_is_not_begun_anew() {
    let store = Store::fresh().await;
    let db = &store.db;
    let orders = [old_id(1), old_id(2), old_id(3), OrderId::new()];
    let commands = orders.map(starting);
    start(db, &anna(), &commands, HOUR).await.unwrap();
    let declined = Verdict::Declined(Some(Reason::from_text("insufficient_funds")));
    let verdicts = [Verdict::Captured, declined, Verdict::Captured];
    let ended = [orders[0], orders[1], orders[3]];
    let finishes: Vec<_> = ended
        .iter()
        .zip(verdicts)
        .map(|(order_id, verdict)| FinishPayment { order_id: *order_id, verdict, attempt: 1 })
        .collect();
    finish(db, &anna(), &finishes).await.unwrap();
    store.look.execute(AGE, &[&orders[3].0]).await.unwrap();

    // A worker's transaction is open when the compact rows are written.
    store
        .look
        .batch_execute("begin; lock table payments.payments in row exclusive mode")
        .await
        .unwrap();
    let step = copy_pruned(db, None, DAY, 10).await.unwrap();
    assert_eq!((step.copied.clone(), step.last), (vec![orders[0], orders[1]], None));
    assert_eq!(remove_pruned(db, &step).await.unwrap(), None, "it may not see them");
    store.look.batch_execute("commit").await.unwrap();
    assert_eq!(remove_pruned(db, &step).await.unwrap(), Some(2));
    assert_eq!(store.count("select count(*) from payments.payments").await, 2);

    let again = start(db, &bob(), &orders.map(starting), HOUR).await.unwrap();
    let known: Vec<_> = again
        .into_iter()
        .map(|outcome| match outcome {
            StartOutcome::Again(payment) => (payment.id, payment.verdict),
            first => panic!("begun anew: {first:?}"),
        })
        .collect();
    let id = |i: usize| commands[i].payment_id;
    assert_eq!(known[0], (id(0), Some(Verdict::Captured)));
    assert_eq!(known[1], (id(1), Some(Verdict::Declined(None))));
    assert_eq!(known[2], (id(2), None), "a payment without a verdict stays");
    assert_eq!(known[3], (id(3), Some(Verdict::Captured)));
    assert_eq!(store.count("select count(*) from payments.payments").await, 2);
    let late = FinishPayment { order_id: orders[1], verdict: Verdict::Captured, attempt: 1 };
    assert_eq!(finish(db, &bob(), &[late]).await.unwrap(), [Verdict::Declined(None)]);
    assert_eq!(pruned(db, &orders).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_auditor_and_the_timeline_find_pruned_payments_even_if_the_removal_was_interrupted() {
    let store = Store::fresh().await;
    let db = &store.db;
    let orders = [old_id(1), old_id(2)];
    start(db, &anna(), &orders.map(starting), HOUR).await.unwrap();
    let captured =
        orders.map(|order_id| FinishPayment { order_id, verdict: Verdict::Captured, attempt: 1 });
    finish(db, &anna(), &captured).await.unwrap();
    let young = OrderId::new();
    store.look.execute(AGE, &[&young.0]).await.unwrap();
    let range = Range { after: OrderId(Uuid::nil()), up_to: young, limit: 10 };

    let step = copy_pruned(db, None, DAY, 1).await.unwrap();
    assert_eq!(step.last, Some(orders[0]));
    for removed in [0, 1] {
        if removed == 1 {
            assert_eq!(remove_pruned(db, &step).await.unwrap(), Some(1));
        }
        for found in
            [payments_between(db, &range).await.unwrap(), payments_of(db, &orders).await.unwrap()]
        {
            assert_eq!(found.len(), 2, "{found:?}");
            for payment in found {
                assert_eq!((payment.status, payment.sum.minor), (PaymentStatus::Captured, 19900));
                assert!(payment.ended.unwrap() > DAY);
            }
        }
        let payment = timeline::payments(db, orders[0]).await.unwrap().unwrap();
        assert_eq!(payment.started.is_none(), removed == 1);
        assert_eq!(payment.ended.unwrap().0, Verdict::Captured);
    }
    let rest = copy_pruned(db, step.last, DAY, 1).await.unwrap();
    assert_eq!(rest.copied, [orders[1]]);
}
