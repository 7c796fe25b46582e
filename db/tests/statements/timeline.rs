//! The history of one order.

use std::time::Duration;

use db::Db;
use db::dead_letters::{ActionKind, DeadLetter, NewAction, Outcome, begin, end};
use db::orders::{RetryPolicy, SettleOrder, place, rerequest, scan_overdue, settle};
use db::outbox::remove;
use db::payments::{FinishPayment, StartPayment, Unanswered, finish, note_unanswered, start};
use db::timeline::{InOutbox, payments, shop};
use domain::{
    ActionId, Amount, Currency, GatewayCall, OrderId, OrderStatus, PaymentId, Reason, Verdict,
};
use testkit::eventually;
use tokio::runtime::Handle;

use super::store::{HOUR, Store, anna, bob, command};

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

fn unanswered(order_id: OrderId, attempt: i32) -> Unanswered {
    Unanswered { order_id, attempt, call: GatewayCall::Charge, why: "no answer in time" }
}

fn replay(letter: &str, order_ids: Vec<OrderId>) -> NewAction {
    NewAction {
        id: ActionId::new(),
        kind: ActionKind::Replay,
        by: "carl".to_owned(),
        note: None,
        dead_letter: DeadLetter {
            id: letter.to_owned(),
            queue: "processedorders.dead".to_owned(),
            reason: "unknown_order".to_owned(),
            detail: None,
            message_id: None,
            order_ids,
            attempts: 1,
            replays: 0,
            dead_lettered_at: Some(time::OffsetDateTime::UNIX_EPOCH),
            properties: "{}".to_owned(),
            body: b"{}".to_vec(),
        },
    }
}

#[tokio::test]
async fn the_shop_shows_what_waits_what_was_rerequested_and_how_it_ended() {
    let store = Store::fresh().await;
    let reader = reader(&store).await;
    assert_eq!(shop(&reader, OrderId::new()).await.unwrap(), None);
    let (overdue, other) = (command(), command());
    let row = place(&store.db, &[overdue.clone(), other], HOUR).await.unwrap().outbox.unwrap();

    let placed = shop(&reader, overdue.id).await.unwrap().unwrap();
    assert_eq!(
        (placed.status, placed.outbox),
        (OrderStatus::Pending, InOutbox::Since(placed.placed_at))
    );
    assert_eq!((placed.rerequested, placed.dead_letter_actions.len()), (None, 0));
    remove(&store.db, &[row]).await.unwrap();
    assert_eq!(shop(&reader, overdue.id).await.unwrap().unwrap().outbox, InOutbox::No);

    eventually("the order to be overdue", Duration::from_secs(10), async || {
        scan_overdue(&store.db, Duration::ZERO, 100).await.unwrap();
        store.count("select count(*) from late_orders").await == 2
    })
    .await;
    let policy = RetryPolicy { first: Duration::ZERO, limit: 10 };
    assert_eq!(rerequest(&store.db, &policy, &[]).await.unwrap().len(), 2);
    let asked = shop(&reader, overdue.id).await.unwrap().unwrap();
    let again = asked.rerequested.unwrap();
    assert_eq!((again.times, asked.outbox), (1, InOutbox::Since(again.at)));

    let why = Some(Reason::from_text("insufficient_funds"));
    let declined = SettleOrder { id: overdue.id, verdict: Verdict::Declined(why.clone()) };
    settle(&store.db, &[declined]).await.unwrap();
    let ended = shop(&reader, overdue.id).await.unwrap().unwrap();
    assert_eq!((ended.status, ended.cancel_reason), (OrderStatus::Canceled, why));
    assert!(ended.moved_at > ended.placed_at);
    assert_eq!(ended.outbox, InOutbox::No, "what has ended waits nowhere");
}

#[tokio::test]
async fn dead_letter_actions_are_found_by_their_order_and_no_others_are_read() {
    const READ: &str = "select coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint
                          from pg_stat_user_tables where relname = 'dead_letter_actions'";
    let store = Store::fresh().await;
    let reader = reader(&store).await;
    let ids = store.placed(2).await;
    let pack = replay("a", vec![ids[1], ids[0]]);
    begin(&store.db, std::slice::from_ref(&pack)).await.unwrap();
    begin(&store.db, &[replay("a", vec![ids[0]])]).await.unwrap();
    end(&store.db, &[pack.id], Outcome::Failed).await.unwrap();
    let others: Vec<_> = (0..5000).map(|_| replay("b", vec![OrderId::new()])).collect();
    begin(&store.db, &others).await.unwrap();
    store.look.batch_execute("analyze; select pg_stat_force_next_flush()").await.unwrap();
    let before = store.count(READ).await;

    let found = shop(&reader, ids[0]).await.unwrap().unwrap().dead_letter_actions;
    let outcomes: Vec<_> = found.iter().map(|l| (l.dead_letter_id.as_str(), l.outcome)).collect();
    assert_eq!(outcomes, [("a", Outcome::Failed), ("a", Outcome::Begun)]);
    assert_eq!((found[0].by.as_str(), found[0].kind), ("carl", ActionKind::Replay));
    assert_eq!(found[0].dead_lettered_at, Some(time::OffsetDateTime::UNIX_EPOCH));
    assert_eq!(shop(&reader, ids[1]).await.unwrap().unwrap().dead_letter_actions.len(), 1);

    // A backend reports what it has read when it is idle for a while or asked for more later.
    let read = eventually("the statistics to arrive", Duration::from_secs(60), async || {
        reader.ping().await.unwrap();
        let read = store.count(READ).await - before;
        if read >= 3 { Ok(read) } else { Err(read) }
    })
    .await;
    assert!(read < 100, "3 rows were found by reading {read}");
}

#[tokio::test]
async fn an_outbox_too_long_to_search_has_the_young_orders_at_its_end() {
    let store = Store::fresh().await;
    let reader = reader(&store).await;
    let old = store.placed(1).await[0];
    let filled = "
        update outbox set queued_at = now() - interval '1 hour';
        update orders set created_at = now() - interval '1 hour';
        insert into outbox (leased_until, orders, order_ids, request_ids, queued_at)
        select now(), 1, array[gen_random_uuid()], array['r'], now() - interval '1 minute'
          from generate_series(1, 20000)";
    store.look.batch_execute(filled).await.unwrap();
    let young = store.placed(1).await[0];

    let found = shop(&reader, old).await.unwrap().unwrap();
    assert_eq!(found.outbox, InOutbox::Since(found.placed_at));
    assert_eq!(shop(&reader, young).await.unwrap().unwrap().outbox, InOutbox::Behind);
    store.look.batch_execute("delete from outbox where id % 2 = 0").await.unwrap();
    let found = shop(&reader, young).await.unwrap().unwrap().outbox;
    assert!(matches!(found, InOutbox::Since(_) | InOutbox::No), "all of it was looked through");
}

#[tokio::test]
async fn a_payment_names_its_attempts_its_verdict_and_its_unanswered_calls() {
    let store = Store::fresh().await;
    let reader = reader(&store).await;
    let (plain, shared) = (OrderId::new(), OrderId::new());
    assert_eq!(payments(&reader, plain).await.unwrap(), None);
    start(&store.db, &anna(), &[starting(plain), starting(shared)], HOUR).await.unwrap();

    let begun = payments(&reader, plain).await.unwrap().unwrap();
    let started = begun.started.unwrap();
    assert_eq!((started.worker.as_deref(), started.number), (Some("anna/1"), 1));
    assert_eq!((&begun.resumed, &begun.ended, begun.unanswered.len()), (&None, &None, 0));

    note_unanswered(&store.db, &anna(), &[unanswered(shared, 1)]).await.unwrap();
    start(&store.db, &bob(), &[starting(shared)], HOUR).await.unwrap();
    let ended = |order_id, attempt| FinishPayment { order_id, verdict: Verdict::Captured, attempt };
    finish(&store.db, &anna(), &[ended(plain, 1)]).await.unwrap();
    finish(&store.db, &bob(), &[ended(shared, 2)]).await.unwrap();

    let plain = payments(&reader, plain).await.unwrap().unwrap();
    let (verdict, by) = plain.ended.unwrap();
    assert_eq!((verdict, by.worker.as_deref(), by.number), (Verdict::Captured, Some("anna/1"), 1));
    let shared = payments(&reader, shared).await.unwrap().unwrap();
    let started = shared.started.as_ref().unwrap();
    assert_eq!(started.worker.as_deref(), Some("anna/1"));
    let again = shared.resumed.unwrap();
    assert_eq!((again.worker.as_deref(), again.number), (Some("bob/2"), 2));
    let (_, by) = shared.ended.unwrap();
    assert_eq!((by.worker.as_deref(), by.number), (Some("bob/2"), 2));
    assert_eq!(shared.unanswered.len(), 1);
    let call = &shared.unanswered[0];
    assert_eq!((call.call, call.why.as_str()), (GatewayCall::Charge, "no answer in time"));
    assert_eq!((call.attempt.worker.as_deref(), call.attempt.number), (Some("anna/1"), 1));
    assert!(started.at <= call.attempt.at && call.attempt.at <= again.at && again.at <= by.at);
}

#[tokio::test]
async fn the_newest_unanswered_calls_of_an_order_are_kept_and_no_more() {
    let store = Store::fresh().await;
    let order = OrderId::new();
    start(&store.db, &anna(), &[starting(order)], HOUR).await.unwrap();
    let calls: Vec<_> = (1..=45).map(|attempt| unanswered(order, attempt)).collect();
    note_unanswered(&store.db, &anna(), &calls[..30]).await.unwrap();
    for call in &calls[30..] {
        note_unanswered(&store.db, &bob(), std::slice::from_ref(call)).await.unwrap();
    }

    let found = payments(&store.db, order).await.unwrap().unwrap().unanswered;

    let attempts: Vec<i32> = found.iter().map(|call| call.attempt.number).collect();
    assert_eq!(attempts, (26..=45).collect::<Vec<_>>());
    assert_eq!(store.count("select count(*) from payments.unanswered_calls").await, 20);
}

#[tokio::test]
async fn a_payment_that_is_older_than_the_workers_names_is_shown_without_one() {
    let store = Store::fresh().await;
    let order = OrderId::new();
    start(&store.db, &anna(), &[starting(order)], HOUR).await.unwrap();
    let aged = "update payments.payments set started_by = null, status = 'declined',
                       reason = 'why', finished_at = now()";
    store.look.batch_execute(aged).await.unwrap();

    let found = payments(&store.db, order).await.unwrap().unwrap();

    assert_eq!((found.started.unwrap().worker, found.resumed), (None, None));
    let (verdict, by) = found.ended.unwrap();
    assert_eq!(verdict, Verdict::Declined(Some(Reason::from_text("why"))));
    assert_eq!((by.worker, by.number), (None, 1));
}
