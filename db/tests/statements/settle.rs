use std::time::Duration;

use db::orders::{SettleOrder, SettleOutcome, get, settle};
use domain::{OrderId, OrderStatus, Reason, Verdict};
use testkit::eventually;

use super::store::Store;

fn captured(id: OrderId) -> SettleOrder {
    SettleOrder { id, verdict: Verdict::Captured }
}

fn declined(id: OrderId) -> SettleOrder {
    SettleOrder { id, verdict: Verdict::Declined(Some(Reason::from_text("why"))) }
}

#[tokio::test]
async fn a_status_moves_once_whatever_comes_later_or_at_the_same_time() {
    let store = Store::fresh().await;
    let ids = store.placed(3).await;
    let unknown = OrderId::new();
    let batch = [captured(ids[0]), declined(ids[1]), declined(ids[0]), captured(unknown)];
    let aged = "update orders set created_at = now() - interval '1 hour' where id = $1";
    store.look.execute(aged, &[&ids[1].0]).await.unwrap();

    let mut settled = settle(&store.db, &batch).await.unwrap();
    // The database's clock says how long each has taken: the second one was placed an hour ago.
    let after = settled.iter_mut().filter_map(|settled| match settled {
        SettleOutcome::Moved { after } => Some(std::mem::take(after).as_secs()),
        _ => None,
    });
    assert_eq!(after.map(|seconds| seconds / 600).collect::<Vec<_>>(), [0, 6]);
    let again = settle(&store.db, &[declined(ids[0]), declined(ids[1])]).await.unwrap();

    let moved = SettleOutcome::Moved { after: Duration::ZERO };
    let wanted = [moved, moved, SettleOutcome::Contradicting, SettleOutcome::UnknownOrder];
    assert_eq!(settled, wanted);
    assert_eq!(again, [SettleOutcome::Contradicting, SettleOutcome::Repeated]);
    let mut found = Vec::new();
    for id in ids {
        let order = get(&store.db, id).await.unwrap().unwrap();
        assert_eq!(order.updated_at > order.created_at, order.status != OrderStatus::Pending);
        found.push((order.status, order.cancel_reason.map(|reason| reason.to_string())));
    }
    let why = Some("why".to_owned());
    let wanted = [
        (OrderStatus::Confirmed, None),
        (OrderStatus::Canceled, why),
        (OrderStatus::Pending, None),
    ];
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn batches_that_share_orders_in_opposite_order_both_get_through() {
    let store = Store::fresh().await;
    for _ in 0..10 {
        let ids = store.placed(200).await;
        let forward: Vec<_> = ids.iter().map(|id| captured(*id)).collect();
        let backward: Vec<_> = ids.iter().rev().map(|id| captured(*id)).collect();
        let (one, two) = tokio::join!(settle(&store.db, &forward), settle(&store.db, &backward));
        let both = one.unwrap().into_iter().chain(two.unwrap());
        assert_eq!(
            both.filter(|settled| matches!(settled, SettleOutcome::Moved { .. })).count(),
            200
        );
    }
}

const READ: &str = "
    select (coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0))::bigint
      from pg_stat_user_tables where relname = 'orders'";

/// A plan made for an empty table, or for few pending orders, must not be used when there are
/// many: what is read has to depend on the batch, not on the table.
#[tokio::test]
async fn a_batch_reads_its_own_rows_only_however_many_orders_are_pending() {
    let store = Store::fresh().await;
    let few = store.placed(60).await;
    store.look.batch_execute("analyze orders").await.unwrap();
    // The plan is made now, and nothing throws it away before the burst.
    settle(&store.db, &[captured(few[0])]).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.extend(store.placed(500).await);
    }
    let flush = "select pg_stat_force_next_flush()";
    store.look.batch_execute(flush).await.unwrap();
    let before = store.count(READ).await;

    for batch in ids[..2000].chunks(200) {
        let batch: Vec<_> = batch.iter().map(|id| captured(*id)).collect();
        settle(&store.db, &batch).await.unwrap();
    }

    // A backend reports what it has read when it is idle for a while or asked for more later.
    let read = eventually("the statistics to arrive", Duration::from_secs(60), async || {
        store.db.ping().await.unwrap();
        let read = store.count(READ).await - before;
        if read >= 2000 { Ok(read) } else { Err(read) }
    })
    .await;
    assert!(read < 20_000, "2000 orders were settled by reading {read} rows");
}
