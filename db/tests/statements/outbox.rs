use std::time::Duration;

use db::orders::place;
use db::outbox::{Batch, Depth, claim, depth, remove, retain};
use domain::OrderId;

use super::store::{HOUR, Store, command};

fn orders(batches: &[Batch]) -> Vec<OrderId> {
    let entries = batches.iter().flat_map(|batch| &batch.entries);
    entries.map(|entry| entry.order_id).collect()
}

#[tokio::test]
async fn the_depth_counts_rows_and_orders_up_to_a_limit() {
    let store = Store::fresh().await;
    assert_eq!(depth(&store.db, 10).await.unwrap(), Depth::default());
    for count in [2, 3] {
        let batch: Vec<_> = (0..count).map(|_| command()).collect();
        place(&store.db, &batch, HOUR).await.unwrap();
    }
    let aged = "update outbox set queued_at = now() - interval '90 seconds' where orders = 2";
    store.look.batch_execute(aged).await.unwrap();

    let (oldest, all) = (depth(&store.db, 1).await.unwrap(), depth(&store.db, 10).await.unwrap());

    assert_eq!((oldest.rows, oldest.orders, oldest.oldest.as_secs()), (1, 2, 90));
    assert_eq!((all.rows, all.orders, all.oldest.as_secs()), (2, 5, 90));
}

#[tokio::test]
async fn a_row_belongs_to_its_leaseholder_until_the_lease_is_over_or_given_up() {
    let store = Store::fresh().await;
    let batch: Vec<_> = (0..3).map(|_| command()).collect();
    let ids: Vec<_> = batch.iter().map(|command| command.id).collect();
    let row = place(&store.db, &batch, HOUR).await.unwrap().outbox.unwrap();
    assert_eq!(claim(&store.db, 10, HOUR).await.unwrap(), []);

    retain(&store.db, &[row], &ids[1..]).await.unwrap();
    let claimed = claim(&store.db, 10, HOUR).await.unwrap();

    assert_eq!((claimed[0].id, orders(&claimed)), (row, ids[1..].to_vec()), "the first is relayed");
    assert_eq!(claim(&store.db, 10, HOUR).await.unwrap(), [], "leased again by the claim");
    remove(&store.db, &[row]).await.unwrap();
    assert_eq!(store.count("select count(*) from outbox").await, 0);
}

#[tokio::test]
async fn a_claimed_row_has_everything_that_its_requests_need() {
    let store = Store::fresh().await;
    let (other, mut placing) = (command(), command());
    placing.order.payment_method = Some("pm_card_visa".parse().unwrap());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    placing.traceparent = Some(trace.parse().unwrap());
    place(&store.db, &[other, placing.clone()], Duration::ZERO).await.unwrap();

    let claimed = claim(&store.db, 10, HOUR).await.unwrap();

    let entry = &claimed[0].entries[1];
    assert_eq!(entry.order_id, placing.id);
    assert_eq!(entry.total.minor(), 19900);
    assert_eq!(entry.customer_id, placing.order.customer_id);
    assert_eq!(entry.payment_method, placing.order.payment_method);
    assert_eq!(entry.request_id, Some(placing.request_id));
    assert_eq!(entry.traceparent, placing.traceparent);
    assert_eq!(claimed[0].entries[0].traceparent, None);
}

#[tokio::test]
async fn a_command_that_was_refused_is_not_relayed() {
    let store = Store::fresh().await;
    let mut refused = command();
    refused.order.product_id = "99".parse().unwrap();
    let good = command();
    place(&store.db, &[refused.clone()], Duration::ZERO).await.unwrap();
    assert_eq!(store.count("select count(*) from outbox").await, 0);
    place(&store.db, &[refused, good.clone()], Duration::ZERO).await.unwrap();

    assert_eq!(orders(&claim(&store.db, 10, HOUR).await.unwrap()), [good.id]);
}

#[tokio::test]
async fn a_claim_takes_the_oldest_rows_up_to_its_limit_of_orders() {
    let store = Store::fresh().await;
    for _ in 0..5 {
        let batch: Vec<_> = (0..4).map(|_| command()).collect();
        place(&store.db, &batch, Duration::ZERO).await.unwrap();
    }

    let first = claim(&store.db, 10, HOUR).await.unwrap();
    let second = claim(&store.db, 10, HOUR).await.unwrap();

    assert_eq!((orders(&first).len(), orders(&second).len()), (12, 8));
    assert!(orders(&first).iter().max() < orders(&second).iter().min());
}

#[tokio::test]
async fn claims_at_the_same_time_get_different_rows() {
    let store = Store::fresh().await;
    for _ in 0..400 {
        place(&store.db, &[command()], Duration::ZERO).await.unwrap();
    }

    let claims = (0..4).map(|_| claim(&store.db, 100, HOUR));
    let claims = futures_util::future::join_all(claims).await;

    let claimed: Vec<Batch> = claims.into_iter().flat_map(Result::unwrap).collect();
    let mut ids = orders(&claimed);
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "a row was claimed twice");
    assert!(all >= 100);
}
