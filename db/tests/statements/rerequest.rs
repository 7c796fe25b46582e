use std::time::Duration;

use db::orders::{RetryPolicy, SettleOrder, due, rerequest, scan_overdue, settle};
use db::outbox::{claim, remove};
use domain::{OrderId, Verdict};
use futures_util::future::join_all;
use testkit::eventually;

use super::store::{HOUR, Store};

const NOW: RetryPolicy = RetryPolicy { first: Duration::ZERO, limit: 1000 };

/// Orders that are overdue and relayed.
async fn overdue(store: &Store, count: usize) -> Vec<OrderId> {
    let mut ids = Vec::new();
    while ids.len() < count {
        ids.extend(store.placed(count.min(500)).await);
    }
    store.look.batch_execute("truncate outbox").await.unwrap();
    eventually("all to be overdue", Duration::from_secs(10), async || {
        scan_overdue(&store.db, Duration::ZERO, 10_000).await.unwrap();
        store.count("select count(*) from late_orders").await == i64::try_from(ids.len()).unwrap()
    })
    .await;
    ids
}

async fn rerequested(store: &Store, policy: &RetryPolicy) -> Vec<OrderId> {
    rerequest(&store.db, policy, &[]).await.unwrap().into_iter().map(|order| order.id).collect()
}

#[tokio::test]
async fn orders_with_a_scheduled_message_are_left_out() {
    let store = Store::fresh().await;
    let ids = overdue(&store, 3).await;

    let found = due(&store.db, &NOW, &ids[..1]).await.unwrap();
    let asked = rerequest(&store.db, &NOW, &ids[..1]).await.unwrap();

    let asked: Vec<_> = asked.into_iter().map(|order| order.id).collect();
    assert_eq!((found.len(), &asked[..]), (2, &ids[1..]));
    assert_eq!(due(&store.db, &NOW, &[]).await.unwrap(), ids[..1]);
}

#[tokio::test]
async fn a_lost_order_is_rerequested_and_one_in_the_outbox_or_settled_is_not() {
    let store = Store::fresh().await;
    let ids = overdue(&store, 4).await;
    let captured = SettleOrder { id: ids[0], verdict: Verdict::Captured };
    settle(&store.db, &[captured]).await.unwrap();

    assert_eq!(rerequested(&store, &NOW).await, ids[1..]);

    assert_eq!(rerequested(&store, &NOW).await, [], "they are in the outbox");
    let claimed = claim(&store.db, 10, HOUR).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let found: Vec<_> = claimed[0].entries.iter().map(|e| e.order_id).collect();
    assert_eq!(found, ids[1..]);
    assert_eq!(claimed[0].entries[0].total.minor(), 19900);
    remove(&store.db, &[claimed[0].id]).await.unwrap();
    assert_eq!(rerequested(&store, &NOW).await, ids[1..], "relayed and still pending");
}

#[tokio::test]
async fn the_wait_before_the_next_rerequest_doubles_and_there_is_a_last_one() {
    let store = Store::fresh().await;
    overdue(&store, 1).await;
    let minute = RetryPolicy { first: Duration::from_secs(60), limit: 10 };
    for (times, waited, due) in
        [(0, 59, false), (0, 61, true), (1, 119, false), (1, 121, true), (3, 470, false)]
    {
        let past = format!(
            "truncate outbox;
             update late_orders
                set asked = {times}, waiting_since = now() - interval '{waited} seconds'"
        );
        store.look.batch_execute(&past).await.unwrap();
        let times_now = rerequest(&store.db, &minute, &[]).await.unwrap();
        assert_eq!(times_now.first().map(|a| a.times), due.then_some(times + 1), "{waited}");
    }
    for (times, days, due) in [(19, 1.1, true), (19, 0.9, false), (20, 400.0, false)] {
        let past = format!(
            "truncate outbox;
             update late_orders
                set asked = {times}, waiting_since = now() - interval '1 day' * {days}"
        );
        store.look.batch_execute(&past).await.unwrap();
        assert_eq!(
            !rerequested(&store, &minute).await.is_empty(),
            due,
            "{times} after {days} days"
        );
    }
}

#[tokio::test]
async fn concurrent_callers_never_rerequest_the_same_order() {
    let store = Store::fresh().await;
    let ids = overdue(&store, 1500).await;
    // Longer than a statement takes: one that waited for another's lock judges by its own
    // beginning.
    let some = RetryPolicy { first: Duration::from_secs(60), limit: 400 };
    let aged = "update late_orders set waiting_since = waiting_since - interval '61 seconds'";
    store.look.batch_execute(aged).await.unwrap();
    let mut found = Vec::new();
    for _ in 0..3 {
        let rounds = join_all((0..4).map(|_| rerequested(&store, &some))).await;
        found.extend(rounds.concat());
    }
    found.sort();
    let all = found.len();
    found.dedup();
    assert_eq!(found.len(), all, "re-requested twice");
    assert_eq!(found, ids);
    let largest = store.count("select max(orders)::bigint from outbox").await;
    assert!(largest <= 500, "a row of {largest} orders is more than the relay takes at once");
}

#[tokio::test]
async fn while_much_waits_in_the_outbox_nothing_is_rerequested() {
    let store = Store::fresh().await;
    overdue(&store, 1).await;
    for _ in 0..201 {
        store.placed(1).await;
    }
    assert_eq!(rerequested(&store, &NOW).await, []);
    store
        .look
        .batch_execute("delete from outbox where id in (select id from outbox limit 1)")
        .await
        .unwrap();
    assert_eq!(rerequested(&store, &NOW).await.len(), 1);
}
