use std::time::Duration;

use db::orders::place;
use db::outbox::{claim, release, remove};

use super::store::{HOUR, Store, wish};

#[tokio::test]
async fn an_entry_belongs_to_whoever_leased_it_until_the_lease_is_over_or_given_up() {
    let store = Store::fresh().await;
    let ids = store.placed(3).await;
    assert_eq!(claim(&store.db, 10, HOUR).await.unwrap(), []);

    release(&store.db, &ids[..2]).await.unwrap();
    let claimed = claim(&store.db, 10, HOUR).await.unwrap();

    let claimed_ids: Vec<_> = claimed.iter().map(|entry| entry.request.order_id).collect();
    assert_eq!(claimed_ids, ids[..2]);
    assert_eq!(claim(&store.db, 10, HOUR).await.unwrap(), [], "leased again by the claim");
    remove(&store.db, &ids).await.unwrap();
    assert_eq!(store.count("select count(*) from outbox").await, 0);
}

#[tokio::test]
async fn an_entry_tells_all_that_the_request_needs() {
    let store = Store::fresh().await;
    let mut placing = wish();
    placing.order.payment_method = Some("pm_card_visa".parse().unwrap());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    placing.traceparent = Some(trace.parse().unwrap());
    place(&store.db, std::slice::from_ref(&placing), Duration::ZERO).await.unwrap();

    let claimed = claim(&store.db, 10, HOUR).await.unwrap();

    let request = &claimed[0].request;
    assert_eq!(request.order_id, placing.id);
    assert_eq!(request.total.minor(), 19900);
    assert_eq!(request.customer_id, placing.order.customer_id);
    assert_eq!(request.payment_method, placing.order.payment_method);
    assert_eq!(request.request_id, Some(placing.request_id));
    assert_eq!(claimed[0].traceparent, placing.traceparent);
}

#[tokio::test]
async fn claims_at_the_same_time_get_different_entries() {
    let store = Store::fresh().await;
    let batch: Vec<_> = (0..400).map(|_| wish()).collect();
    place(&store.db, &batch, Duration::ZERO).await.unwrap();

    let claims = (0..4).map(|_| claim(&store.db, 100, HOUR));
    let claims = futures_util::future::join_all(claims).await;

    let mut ids: Vec<_> =
        claims.into_iter().flat_map(Result::unwrap).map(|e| e.request.order_id).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "an entry was claimed twice");
    assert!(all >= 100);
}
