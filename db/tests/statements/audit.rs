//! The auditor's reads, and that it can do nothing else.

use std::time::Duration;

use db::Db;
use db::audit::{
    KeyRange, PaymentStatus, Range, captures_after, captures_between, captures_of, horizon,
    orders_between, orders_of, outbox, outbox_orders, overdue_orders, payments_between,
    payments_of,
};
use db::gateway_ledger::{Capture, capture};
use db::orders::{SettleOrder, place, scan_overdue, settle};
use db::payments::{FinishPayment, StartPayment, finish, start};
use domain::{Amount, Currency, OrderId, OrderStatus, PaymentId, Verdict};
use testkit::eventually;
use tokio::runtime::Handle;

use super::store::{HOUR, Store, anna, command};

fn between<'a>(after: &'a str, up_to: &'a str, limit: i64) -> KeyRange<'a> {
    KeyRange { after, up_to, limit }
}

async fn reader(store: &Store) -> Db {
    Db::read_only(&store.settings, Handle::current()).unwrap()
}

fn starting(order_id: OrderId) -> StartPayment {
    StartPayment {
        order_id,
        payment_id: PaymentId::new(),
        amount: Amount::from_minor(19900).unwrap(),
        currency: Currency::Usd,
        payment_method: None,
    }
}

fn taken(key: &str, order_id: OrderId) -> Capture {
    let amount = Amount::from_minor(19900).unwrap();
    Capture { key: key.to_owned(), order_id, amount, currency: Currency::Usd }
}

#[tokio::test]
async fn an_auditor_can_read_and_cannot_write() {
    let store = Store::fresh().await;
    let reader = reader(&store).await;
    let id = store.placed(1).await[0];
    assert_eq!(orders_of(&reader, &[id]).await.unwrap().len(), 1);

    let refused = [
        place(&reader, &[command()], HOUR).await.map(drop),
        settle(&reader, &[SettleOrder { id, verdict: Verdict::Captured }]).await.map(drop),
        start(&reader, &anna(), &[starting(id)], HOUR).await.map(drop),
        capture(&reader, &[taken("key", id)]).await,
    ];

    for refusal in refused {
        let text = refusal.unwrap_err().to_string();
        assert!(text.contains("read-only transaction"), "{text}");
    }
    assert_eq!(store.count("select count(*) from orders where status = 'Pending'").await, 1);
    assert_eq!(store.count("select count(*) from payments.payments").await, 0);
}

#[tokio::test]
async fn both_sides_are_read_by_the_same_range_and_one_by_one() {
    let store = Store::fresh().await;
    let reader = reader(&store).await;
    let ids = store.placed(5).await;
    let startings: Vec<_> = ids[1..].iter().map(|id| starting(*id)).collect();
    start(&store.db, &anna(), &startings, HOUR).await.unwrap();
    let ended = FinishPayment { order_id: ids[1], verdict: Verdict::Captured, attempt: 1 };
    finish(&store.db, &anna(), &[ended]).await.unwrap();
    settle(&store.db, &[SettleOrder { id: ids[1], verdict: Verdict::Captured }]).await.unwrap();

    let range = Range { after: ids[0], up_to: ids[3], limit: 2 };
    let orders = orders_between(&reader, &range).await.unwrap();
    let payments = payments_between(&reader, &range).await.unwrap();

    assert_eq!(orders.iter().map(|order| order.id).collect::<Vec<_>>(), ids[1..3]);
    assert_eq!(orders[0].status, OrderStatus::Confirmed);
    assert_eq!((orders[0].sum.minor, orders[0].sum.currency.as_str()), (19900, "USD"));
    assert_eq!(payments.iter().map(|payment| payment.order_id).collect::<Vec<_>>(), ids[1..3]);
    assert_eq!(payments[0].status, PaymentStatus::Captured);
    assert!(payments[0].ended.is_some() && payments[1].ended.is_none());
    assert_eq!(payments[0].sum, orders[0].sum);
    assert_eq!(orders_of(&reader, &[ids[4], OrderId::new()]).await.unwrap()[0].id, ids[4]);
    assert_eq!(payments_of(&reader, &[ids[0]]).await.unwrap(), []);
    assert_eq!(payments_of(&reader, &[ids[4]]).await.unwrap()[0].status, PaymentStatus::Started);
}

#[tokio::test]
async fn the_gateways_ledger_is_read_by_key() {
    let store = Store::fresh().await;
    let reader = reader(&store).await;
    let ids: Vec<OrderId> = (0..3).map(|_| OrderId::new()).collect();
    let keys: Vec<String> = ids.iter().map(OrderId::to_string).collect();
    let mut batch: Vec<_> = ids.iter().map(|id| taken(&id.to_string(), *id)).collect();
    batch.push(taken("zz", ids[0]));
    capture(&store.db, &batch).await.unwrap();

    let of = captures_of(&reader, &["zz".to_owned(), "none".to_owned()]).await.unwrap();
    assert_eq!(of.iter().map(|c| (c.order_id, c.sum.minor)).collect::<Vec<_>>(), [(ids[0], 19900)]);
    let between = captures_between(&reader, &between(&keys[0], &keys[2], 9)).await.unwrap();
    assert_eq!(between.iter().map(|c| &c.key).collect::<Vec<_>>(), [&keys[1], &keys[2]]);
    let first = captures_after(&reader, "", 3).await.unwrap();
    assert_eq!(first.iter().map(|c| &c.key).collect::<Vec<_>>(), [&keys[0], &keys[1], &keys[2]]);
    assert_eq!(captures_after(&reader, &first[2].key, 3).await.unwrap()[0].key, "zz");
}

#[tokio::test]
async fn the_outbox_and_the_overdue_orders_are_read_up_to_a_limit() {
    let store = Store::fresh().await;
    let reader = reader(&store).await;
    assert_eq!(outbox(&reader, 10).await.unwrap(), db::audit::Outbox::default());
    let (first, second) = (store.placed(2).await, store.placed(1).await);
    let aged = "update outbox set queued_at = now() - interval '90 seconds' where orders = 2";
    store.look.batch_execute(aged).await.unwrap();

    let found = outbox(&reader, 1).await.unwrap();

    assert_eq!((found.rows, found.oldest.as_secs()), (1, 90));
    assert_eq!(outbox(&reader, 10).await.unwrap().rows, 2);
    assert_eq!(outbox_orders(&reader, 2).await.unwrap(), first.iter().copied().collect());
    assert!(outbox_orders(&reader, 10).await.unwrap().contains(&second[0]));
    eventually("all to be overdue", Duration::from_secs(10), async || {
        scan_overdue(&store.db, Duration::ZERO, 100).await.unwrap();
        overdue_orders(&reader, first[0], 9).await.unwrap() == [first[1], second[0]]
    })
    .await;
    let hour_ago = horizon(&reader, HOUR).await.unwrap();
    let now = horizon(&reader, Duration::ZERO).await.unwrap();
    assert!(hour_ago.id < first[0] && first[0] < now.id && now.now >= hour_ago.now);
}

/// Orders an hour old, all paid, with a capture each.
const FILL: &str = "
    insert into orders (id, customer_id, product_id, total_minor, quantity, status, currency)
    select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - 3600000 - n), 12, '0')
            || '7000' || lpad(to_hex(n), 16, '8'))::uuid, 1, 1, 19900, 1, 'Confirmed', 'USD'
      from generate_series(1, 40000) as n;
    insert into payments.payments (order_id, payment_id, amount_minor, currency, status)
    select id, id, total_minor, currency, 'captured' from orders;
    insert into simulated_gateway.captures (key, order_id, amount_minor, currency)
    select id::text, id, total_minor, currency from orders;
    insert into late_orders (order_id) select id from orders limit 5000;
    insert into outbox (leased_until, orders, order_ids, request_ids)
    select now(), 1, array[id], array['r'] from orders limit 5000;
    vacuum analyze";

const READ: &str = "
    select (coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0))::bigint
      from pg_stat_user_tables
     where relname in ('orders', 'payments', 'captures', 'late_orders', 'outbox')";

#[tokio::test]
async fn an_auditor_reads_its_own_rows_only_however_many_there_are() {
    let store = Store::fresh().await;
    for statement in FILL.split(';') {
        store.look.batch_execute(statement).await.unwrap();
    }
    let reader = reader(&store).await;
    // The filling has read, too.
    let before = eventually("what was read so far", Duration::from_secs(60), async || {
        store.look.batch_execute("select pg_stat_force_next_flush()").await.unwrap();
        let read = store.count(READ).await;
        if read >= 90_000 { Ok(read) } else { Err(read) }
    })
    .await;

    let middle = horizon(&reader, HOUR + Duration::from_secs(20)).await.unwrap().id;
    let end = horizon(&reader, Duration::ZERO).await.unwrap().id;
    let range = Range { after: middle, up_to: end, limit: 50 };
    let orders = orders_between(&reader, &range).await.unwrap();
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    let keys: Vec<String> = ids.iter().map(OrderId::to_string).collect();
    let found = [
        orders.len(),
        payments_between(&reader, &range).await.unwrap().len(),
        captures_between(&reader, &between(&keys[0], &keys[49], 50)).await.unwrap().len() + 1,
        captures_after(&reader, &keys[0], 50).await.unwrap().len(),
        orders_of(&reader, &ids).await.unwrap().len(),
        payments_of(&reader, &ids).await.unwrap().len(),
        captures_of(&reader, &keys).await.unwrap().len(),
        overdue_orders(&reader, OrderId(uuid::Uuid::nil()), 50).await.unwrap().len(),
        usize::try_from(outbox(&reader, 50).await.unwrap().rows).unwrap(),
        outbox_orders(&reader, 50).await.unwrap().len(),
    ];
    assert_eq!(found, [50; 10]);

    // A backend reports what it has read when it is idle for a while or asked for more later.
    let read = eventually("the statistics to arrive", Duration::from_secs(60), async || {
        reader.ping().await.unwrap();
        let read = store.count(READ).await - before;
        if read >= 440 { Ok(read) } else { Err(read) }
    })
    .await;
    assert!(read < 1000, "500 rows were found by reading {read}");
}
