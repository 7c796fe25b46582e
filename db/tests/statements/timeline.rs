//! What the tables tell of one order.

use std::time::Duration;

use db::Db;
use db::dead_letters::{ActionKind, Letter, NewAction, Outcome, begin, end};
use db::orders::{RetryPolicy, SettleOrder, place, rerequest, scan_overdue, settle};
use db::outbox::remove;
use db::payments::{FinishPayment, StartPayment, Unanswered, finish, note_unanswered, start};
use db::timeline::{InOutbox, payments, shop};
use domain::{
    ActionId, Amount, Currency, GatewayCall, OrderId, OrderStatus, PaymentId, Reason, Verdict,
};
use testkit::eventually;
use tokio::runtime::Handle;

use super::store::{HOUR, Store, anna, bob, wish};

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
        letter: Letter {
            id: letter.to_owned(),
            queue: "processedorders.dead".to_owned(),
            reason: "unknown_order".to_owned(),
            detail: None,
            message_id: None,
            order_ids,
            attempts: 1,
            replays: 0,
            parked_at: Some(time::OffsetDateTime::UNIX_EPOCH),
            properties: "{}".to_owned(),
            body: b"{}".to_vec(),
        },
    }
}

#[tokio::test]
async fn the_shop_tells_what_waits_what_was_asked_again_and_how_it_ended() {
    let store = Store::fresh().await;
    let reader = reader(&store).await;
    assert_eq!(shop(&reader, OrderId::new()).await.unwrap(), None);
    let (late, other) = (wish(), wish());
    let row = place(&store.db, &[late.clone(), other], HOUR).await.unwrap().outbox.unwrap();

    let placed = shop(&reader, late.id).await.unwrap().unwrap();
    assert_eq!(
        (placed.status, placed.outbox),
        (OrderStatus::Pending, InOutbox::Since(placed.placed_at))
    );
    assert_eq!((placed.asked_again, placed.letters.len()), (None, 0));
    remove(&store.db, &[row]).await.unwrap();
    assert_eq!(shop(&reader, late.id).await.unwrap().unwrap().outbox, InOutbox::No);

    eventually("the order to be late", Duration::from_secs(10), async || {
        scan_overdue(&store.db, Duration::ZERO, 100).await.unwrap();
        store.count("select count(*) from late_orders").await == 2
    })
    .await;
    let patience = RetryPolicy { first: Duration::ZERO, limit: 10 };
    assert_eq!(rerequest(&store.db, &patience).await.unwrap().len(), 2);
    let asked = shop(&reader, late.id).await.unwrap().unwrap();
    let again = asked.asked_again.unwrap();
    assert_eq!((again.times, asked.outbox), (1, InOutbox::Since(again.at)));

    let why = Some(Reason::from_text("insufficient_funds"));
    let declined = SettleOrder { id: late.id, verdict: Verdict::Declined(why.clone()) };
    settle(&store.db, &[declined]).await.unwrap();
    let ended = shop(&reader, late.id).await.unwrap().unwrap();
    assert_eq!((ended.status, ended.cancel_reason), (OrderStatus::Canceled, why));
    assert!(ended.moved_at > ended.placed_at);
    assert_eq!(ended.outbox, InOutbox::No, "what has ended waits nowhere");
}

#[tokio::test]
async fn letters_are_found_by_their_order_and_no_others_are_read() {
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

    let told = shop(&reader, ids[0]).await.unwrap().unwrap().letters;
    let outcomes: Vec<_> = told.iter().map(|l| (l.letter.as_str(), l.outcome)).collect();
    assert_eq!(outcomes, [("a", Outcome::Failed), ("a", Outcome::Begun)]);
    assert_eq!((told[0].by.as_str(), told[0].kind), ("carl", ActionKind::Replay));
    assert_eq!(told[0].parked_at, Some(time::OffsetDateTime::UNIX_EPOCH));
    assert_eq!(shop(&reader, ids[1]).await.unwrap().unwrap().letters.len(), 1);

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
async fn an_outbox_that_is_too_long_to_look_through_has_the_young_orders_at_its_end() {
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
async fn a_payment_tells_who_took_it_who_ended_it_and_what_was_not_answered() {
    let store = Store::fresh().await;
    let reader = reader(&store).await;
    let (plain, shared) = (OrderId::new(), OrderId::new());
    assert_eq!(payments(&reader, plain).await.unwrap(), None);
    start(&store.db, &anna(), &[starting(plain), starting(shared)]).await.unwrap();

    let begun = payments(&reader, plain).await.unwrap().unwrap();
    assert_eq!((begun.begun.worker.as_deref(), begun.begun.attempt), (Some("anna/1"), 1));
    assert_eq!((&begun.again, &begun.ended, begun.unanswered.len()), (&None, &None, 0));

    note_unanswered(&store.db, &anna(), &[unanswered(shared, 1)]).await.unwrap();
    start(&store.db, &bob(), &[starting(shared)]).await.unwrap();
    let ended = |order_id, attempt| FinishPayment { order_id, verdict: Verdict::Captured, attempt };
    finish(&store.db, &anna(), &[ended(plain, 1)]).await.unwrap();
    finish(&store.db, &bob(), &[ended(shared, 2)]).await.unwrap();

    let plain = payments(&reader, plain).await.unwrap().unwrap();
    let (verdict, by) = plain.ended.unwrap();
    assert_eq!((verdict, by.worker.as_deref(), by.attempt), (Verdict::Captured, Some("anna/1"), 1));
    let shared = payments(&reader, shared).await.unwrap().unwrap();
    assert_eq!(shared.begun.worker.as_deref(), Some("anna/1"));
    let again = shared.again.unwrap();
    assert_eq!((again.worker.as_deref(), again.attempt), (Some("bob/2"), 2));
    let (_, by) = shared.ended.unwrap();
    assert_eq!((by.worker.as_deref(), by.attempt), (Some("bob/2"), 2));
    assert_eq!(shared.unanswered.len(), 1);
    let call = &shared.unanswered[0];
    assert_eq!((call.call, call.why.as_str()), (GatewayCall::Charge, "no answer in time"));
    assert_eq!((call.taken.worker.as_deref(), call.taken.attempt), (Some("anna/1"), 1));
    assert!(shared.begun.at <= call.taken.at && call.taken.at <= again.at && again.at <= by.at);
}

#[tokio::test]
async fn the_newest_unanswered_calls_of_an_order_are_kept_and_no_more() {
    let store = Store::fresh().await;
    let order = OrderId::new();
    start(&store.db, &anna(), &[starting(order)]).await.unwrap();
    let calls: Vec<_> = (1..=45).map(|attempt| unanswered(order, attempt)).collect();
    note_unanswered(&store.db, &anna(), &calls[..30]).await.unwrap();
    for call in &calls[30..] {
        note_unanswered(&store.db, &bob(), std::slice::from_ref(call)).await.unwrap();
    }

    let told = payments(&store.db, order).await.unwrap().unwrap().unanswered;

    let attempts: Vec<i32> = told.iter().map(|call| call.taken.attempt).collect();
    assert_eq!(attempts, (26..=45).collect::<Vec<_>>());
    assert_eq!(store.count("select count(*) from payments.unanswered_calls").await, 20);
}

#[tokio::test]
async fn a_payment_that_is_older_than_the_workers_names_is_told_without_one() {
    let store = Store::fresh().await;
    let order = OrderId::new();
    start(&store.db, &anna(), &[starting(order)]).await.unwrap();
    let aged = "update payments.payments set started_by = null, status = 'declined',
                       reason = 'why', finished_at = now()";
    store.look.batch_execute(aged).await.unwrap();

    let told = payments(&store.db, order).await.unwrap().unwrap();

    assert_eq!((told.begun.worker, told.again), (None, None));
    let (verdict, by) = told.ended.unwrap();
    assert_eq!(verdict, Verdict::Declined(Some(Reason::from_text("why"))));
    assert_eq!((by.worker, by.attempt), (None, 1));
}
