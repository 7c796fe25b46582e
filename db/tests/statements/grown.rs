//! Tables with many orders: the rows that a statement reads depend on its parameters, not on the table.

use std::time::Duration;

use db::orders::{Page, SettleOrder, list, scan_overdue, settle};
use domain::{OrderStatus, Verdict};
use testkit::eventually;

use super::store::Store;

/// Old final orders of customer 1, a millisecond apart, all older than an hour.
const FILL: &str = "
    insert into orders (id, customer_id, product_id, total_minor, quantity, status, currency)
    select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - 3600000 - n), 12, '0')
            || '7000' || lpad(to_hex(n), 16, '8'))::uuid, 1, 1, 19900, 1, 'Confirmed', 'USD'
      from generate_series(1, 60000) as n;
    update survey set seen = (select id from orders order by id desc limit 1 offset 10);
    vacuum analyze";

const READ: &str = "
    select (coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0))::bigint
      from pg_stat_user_tables where relname = 'orders'";

#[tokio::test]
async fn a_page_and_an_overdue_scan_read_their_own_rows_only() {
    let store = Store::fresh().await;
    for statement in FILL.split(';') {
        store.look.batch_execute(statement).await.unwrap();
    }
    let young = store.placed(4).await;
    let declined = SettleOrder { id: young[0], verdict: Verdict::Declined(None) };
    settle(&store.db, &[declined]).await.unwrap();
    let before = store.count(READ).await;

    let (luke, han) = ("1".parse().unwrap(), "2".parse().unwrap());
    let mut found = Vec::new();
    for customer_id in [None, Some(luke), Some(han)] {
        for status in [None, Some(OrderStatus::Pending), Some(OrderStatus::Canceled)] {
            let page = Page { customer_id, status, limit: 50, ..Page::default() };
            found.push(list(&store.db, &page).await.unwrap().rows.len());
        }
    }
    assert_eq!(found, [50, 3, 1, 50, 3, 1, 0, 0, 0]);
    assert_eq!(scan_overdue(&store.db, Duration::from_secs(60), 1000).await.unwrap(), 10);

    // A backend reports what it has read when it is idle for a while or asked for more later.
    let read = eventually("the statistics to arrive", Duration::from_secs(60), async || {
        store.db.ping().await.unwrap();
        let read = store.count(READ).await - before;
        if read >= 110 { Ok(read) } else { Err(read) }
    })
    .await;
    assert!(read < 1000, "118 rows were found by reading {read}");
}
