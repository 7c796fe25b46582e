//! Lists of skewed tables: a customer with nearly all canceled orders, a backlog of pending ones, and the
//! few orders of others between them.

use std::time::{Duration, Instant};

use db::orders::{Page, get, list};
use db::{Db, Reads, Settings};
use domain::{CustomerId, OrderId, OrderStatus};
use testkit::eventually;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::store::Store;

/// 30,000 canceled orders of customer 1, below them a few of customer 2, above them 30,000 pending orders of
/// customer 1, half of them recorded as overdue; and as many idempotency keys.
const FILL: &str = "
    create function id_of(n integer) returns uuid language sql as $$
        select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - 3600000 + n), 12, '0')
                || '7000' || lpad(to_hex(n), 16, '8'))::uuid $$;
    insert into orders (id, customer_id, product_id, total_minor, quantity, status, currency,
                        idempotency_key)
    select id_of(n), case when n <= 40 then 2 else 1 end, 1, 19900, 1,
           (case when n <= 30 then 'Confirmed' when n <= 30000 then 'Canceled'
                 else 'Pending' end)::order_status, 'USD', 'key-' || n
      from generate_series(1, 60000) as n;
    insert into canceled_orders select id from orders where status = 'Canceled';
    insert into late_orders select id_of(n) from generate_series(30001, 45000) as n;
    update survey set seen = id_of(45000)";

const READ: &str = "
    select (coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0))::bigint
      from pg_stat_user_tables where relname in ('orders', 'late_orders', 'canceled_orders')";

/// Largest number of rows that a page may read: two walks of 5000 keys and their orders, and the search
/// for the end of each.
const PAGE_READS_MAX: i64 = 30_000;

async fn filled() -> Store {
    let store = Store::fresh().await;
    store.look.batch_execute(FILL).await.unwrap();
    store
}

/// Follows the cursors to the end. Returns the orders and the number of pages.
async fn whole_list(store: &Store, page: Page) -> (Vec<OrderId>, usize) {
    let (mut ids, mut pages, mut before) = (Vec::new(), 0, None);
    loop {
        let listed = list(&store.db, &Page { before, ..page.clone() }).await.unwrap();
        assert!(listed.rows.len() <= 500);
        ids.extend(listed.rows.iter().map(|order| order.id));
        pages += 1;
        let Some(next) = listed.next else { return (ids, pages) };
        assert!(before.is_none_or(|before| next < before), "the cursor stands still");
        before = Some(next);
    }
}

#[tokio::test]
async fn every_filter_lists_all_its_orders_in_pages_that_read_a_bounded_number_of_rows() {
    let store = filled().await;
    // Once with the statistics of a table that has just grown, once with the right ones.
    for analyzed in [false, true] {
        if analyzed {
            store.look.batch_execute("vacuum analyze").await.unwrap();
        }
        let read_before = store.count(READ).await;
        let mut pages_of_all = 0;
        for customer in [None, Some(1), Some(2), Some(3)] {
            for status in [None].into_iter().chain(OrderStatus::ALL.map(Some)) {
                let customer_id = customer.map(|id| CustomerId::new(id).unwrap());
                let page = Page { customer_id, status, limit: 500, ..Page::default() };
                let (ids, pages) = whole_list(&store, page).await;
                let wanted = "select id from orders where coalesce(customer_id = $1, true)
                                 and coalesce(status::text = $2, true) order by id desc";
                let status = status.map(OrderStatus::as_str);
                let wanted = store.look.query(wanted, &[&customer, &status]).await.unwrap();
                let wanted: Vec<_> = wanted.iter().map(|row| OrderId(row.get(0))).collect();
                assert_eq!(ids.len(), wanted.len(), "{customer:?} {status:?}");
                assert_eq!(ids, wanted, "{customer:?} {status:?}");
                assert!(pages <= 1 + ids.len() / 500 + 60_000 / 5000, "{pages} pages");
                pages_of_all += i64::try_from(pages).unwrap();
            }
        }
        // The wanted orders were read without an index.
        let most = pages_of_all * PAGE_READS_MAX + 16 * 60_000;
        let read = eventually("the statistics to arrive", Duration::from_secs(60), async || {
            store.db.ping().await.unwrap();
            let read = store.count(READ).await - read_before;
            if read > 60_000 { Ok(read) } else { Err(read) }
        })
        .await;
        assert!(read <= most, "{pages_of_all} pages read {read} rows");
    }
}

#[tokio::test]
async fn no_page_reads_more_than_its_bound() {
    let store = filled().await;
    let confirmed = Some(OrderStatus::Confirmed);
    let (canceled, pending) = (Some(OrderStatus::Canceled), Some(OrderStatus::Pending));
    let two = Some(CustomerId::new(2).unwrap());
    for (customer_id, status) in
        [(None, confirmed), (two, canceled), (two, pending), (two, confirmed)]
    {
        let page = Page { customer_id, status, limit: 500, ..Page::default() };
        let read_before = store.count(READ).await;
        list(&store.db, &page).await.unwrap();
        let read = eventually("the statistics to arrive", Duration::from_secs(60), async || {
            store.db.ping().await.unwrap();
            let read = store.count(READ).await - read_before;
            if read > 0 { Ok(read) } else { Err(read) }
        })
        .await;
        assert!(read <= PAGE_READS_MAX, "{customer_id:?} {status:?} read {read} rows");
    }
}

#[tokio::test]
async fn a_read_that_ran_into_its_time_limit_is_not_run_again() {
    let store = Store::fresh().await;
    let settings = Settings { statement_timeout: Duration::from_secs(1), ..store.settings };
    let reads = Reads::from(Db::new(&settings, Handle::current()).unwrap());
    store.look.batch_execute("begin; lock table orders").await.unwrap();

    let begun = Instant::now();
    let refused = get(&reads, OrderId(Uuid::nil())).await;

    assert!(matches!(refused, Err(db::Error::Unavailable(_))), "{refused:?}");
    assert!(begun.elapsed() < Duration::from_millis(1900), "{:?}", begun.elapsed());
    store.look.batch_execute("rollback").await.unwrap();
    assert_eq!(get(&reads, OrderId(Uuid::nil())).await.unwrap(), None);
}
