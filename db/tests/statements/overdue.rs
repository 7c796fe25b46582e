use std::time::Duration;

use db::orders::{Page, SettleOrder, forget_ended, list, scan_overdue, settle};
use domain::{OrderId, OrderStatus, Verdict};

use super::store::Store;

const OVERDUE: &str = "select count(*) from late_orders";

async fn pending(store: &Store) -> Vec<OrderId> {
    let page = Page { status: Some(OrderStatus::Pending), limit: 100, ..Page::default() };
    list(&store.db, &page).await.unwrap().rows.into_iter().map(|order| order.id).collect()
}

#[tokio::test]
async fn pending_orders_are_found_before_and_after_they_are_overdue() {
    let store = Store::fresh().await;
    let old = store.placed(5).await;
    let captured = |id: &OrderId| SettleOrder { id: *id, verdict: Verdict::Captured };
    settle(&store.db, &[captured(&old[0]), captured(&old[1])]).await.unwrap();

    // In steps of two; ids of the present millisecond are not behind the horizon yet.
    let mut scanned = 0;
    testkit::eventually("all five to be scanned", Duration::from_secs(10), async || {
        scanned += scan_overdue(&store.db, Duration::ZERO, 2).await.unwrap();
        scanned == 5
    })
    .await;
    assert_eq!(store.count(OVERDUE).await, 3, "two were settled before the scan");
    let young = store.placed(2).await;
    assert_eq!(pending(&store).await, [young[1], young[0], old[4], old[3], old[2]]);

    settle(&store.db, &[captured(&old[2]), captured(&young[1])]).await.unwrap();
    assert_eq!(pending(&store).await, [young[0], old[4], old[3]]);
    let first = forget_ended(&store.db, None, 2).await.unwrap();
    assert_eq!((first.last, first.gone), (Some(old[3]), 1));
    let second = forget_ended(&store.db, first.last, 2).await.unwrap();
    assert_eq!((second.last, second.gone), (None, 0));
    assert_eq!(store.count(OVERDUE).await, 2);
    assert_eq!(pending(&store).await, [young[0], old[4], old[3]]);
}

#[tokio::test]
async fn an_order_is_not_overdue_before_its_time() {
    let store = Store::fresh().await;
    let ids = store.placed(2).await;

    assert_eq!(scan_overdue(&store.db, Duration::from_secs(3600), 100).await.unwrap(), 0);

    assert_eq!(store.count(OVERDUE).await, 0);
    assert_eq!(pending(&store).await, [ids[1], ids[0]]);
}
