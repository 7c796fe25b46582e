//! An open transaction keeps removed rows of the outbox from being cleaned away.

use std::time::Duration;

use db::outbox::{advance_start, claim, depth};
use testkit::{eventually, servers};
use tokio::runtime::Handle;
use tokio_postgres::{Client, NoTls};

use super::store::{HOUR, Store};

const START: &str = "select id from outbox_start";

/// Index entries of the outbox that statements have visited.
const VISITED: &str =
    "select idx_tup_read from pg_stat_user_indexes where indexrelname = 'outbox_pkey'";

/// As many rows as an hour has, placed and removed one by one.
const TRAFFIC: &str = "
    insert into outbox (leased_until, orders, order_ids, request_ids)
    select now() + interval '1 hour', 1, array[gen_random_uuid()], array['r']
      from generate_series(1, 20000);
    delete from outbox where leased_until < 'infinity'";

async fn another_session(store: &Store) -> Client {
    let server = &servers::shared().await.postgres;
    let config = server.config(&store.settings.database);
    let (client, connection) = config.connect(NoTls).await.unwrap();
    Handle::current().spawn(connection);
    client
}

#[tokio::test]
async fn sweeps_stay_short_while_an_open_transaction_holds_on_to_removed_rows() {
    let store = Store::fresh().await;
    let reader = another_session(&store).await;
    let open = "begin isolation level repeatable read; select count(*) from orders";
    reader.batch_execute(open).await.unwrap();
    store.look.batch_execute(TRAFFIC).await.unwrap();

    let mut mark = None;
    for _ in 0..2 {
        advance_start(&store.db, &mut mark).await.unwrap();
    }
    eventually("what this took to be counted", Duration::from_secs(60), async || {
        store.db.ping().await.unwrap();
        store.count(VISITED).await >= 20_000
    })
    .await;
    let placed = store.placed(3).await;
    store.look.batch_execute("update outbox set leased_until = '-infinity'").await.unwrap();
    let before = store.count(VISITED).await;
    assert_eq!(claim(&store.db, 10, HOUR).await.unwrap()[0].entries.len(), placed.len());
    for _ in 0..50 {
        assert_eq!(claim(&store.db, 10, HOUR).await.unwrap(), []);
        assert_eq!(depth(&store.db, 10).await.unwrap().rows, 1);
    }

    let visited = eventually("the statistics to arrive", Duration::from_secs(60), async || {
        store.db.ping().await.unwrap();
        let visited = store.count(VISITED).await - before;
        if visited >= 100 { Ok(visited) } else { Err(visited) }
    })
    .await;
    assert!(visited < 1000, "101 reads visited {visited} entries");
    reader.batch_execute("rollback").await.unwrap();
}

#[tokio::test]
async fn a_row_that_is_committed_late_is_found_although_later_ones_are_gone() {
    let store = Store::fresh().await;
    let slow = another_session(&store).await;
    let insert = "begin;
        insert into outbox (leased_until, orders, order_ids, request_ids)
        values ('-infinity', 1, array[gen_random_uuid()], array['r'])";
    slow.batch_execute(insert).await.unwrap();
    store.look.batch_execute(TRAFFIC).await.unwrap();

    let mut mark = None;
    for _ in 0..5 {
        advance_start(&store.db, &mut mark).await.unwrap();
    }
    assert_eq!(store.count(START).await, 0, "the transaction may commit a row with a low id");
    slow.batch_execute("commit").await.unwrap();
    advance_start(&store.db, &mut mark).await.unwrap();
    advance_start(&store.db, &mut mark).await.unwrap();
    assert_eq!(claim(&store.db, 10, HOUR).await.unwrap().len(), 1);

    store.look.batch_execute("delete from outbox").await.unwrap();
    for _ in 0..2 {
        advance_start(&store.db, &mut mark).await.unwrap();
    }
    assert_eq!(store.count(START).await, 20_001);
}

#[tokio::test]
async fn an_outbox_that_was_emptied_by_hand_begins_anew() {
    let store = Store::fresh().await;
    store.look.batch_execute(TRAFFIC).await.unwrap();
    let mut mark = None;
    for _ in 0..2 {
        advance_start(&store.db, &mut mark).await.unwrap();
    }
    store.look.batch_execute("truncate outbox restart identity").await.unwrap();
    store.placed(1).await;
    store.look.batch_execute("update outbox set leased_until = '-infinity'").await.unwrap();

    advance_start(&store.db, &mut mark).await.unwrap();

    assert_eq!(claim(&store.db, 10, HOUR).await.unwrap().len(), 1);
}
