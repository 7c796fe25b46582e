//! SIGTERM loses nothing, and the process ends within the drain time (P9).

use std::time::{Duration, Instant};

use reqwest::Method;
use testkit::eventually;
use testkit::world::{Order, World, order_body};

use super::ledger::{LONG, balance, eventually_logged};

#[tokio::test]
async fn order_management_that_is_stopped_under_load_keeps_every_201() {
    let world = World::builder().workers(2).start().await;
    let mut accepted = Vec::new();
    let clients = async {
        let calls = (0..400).map(|_| {
            let request = world.http().request(Method::POST, world.url(0, "/orders"));
            world.try_send(request.json(&order_body("pm_card_visa")))
        });
        futures_util::future::join_all(calls).await
    };
    let stop = async {
        eventually("some orders to be placed", LONG, async || {
            world.count("select count(*) from orders").await > 10
        })
        .await;
        world.order_management(0).sigterm().unwrap();
        world.order_management(0).wait_exit(Duration::from_secs(12)).await.unwrap()
    };
    let (replies, exit) = tokio::join!(clients, stop);
    assert!(exit.success(), "{exit:?}");
    for reply in replies.into_iter().flatten() {
        if reply.status == 201 {
            accepted.push(Order::from_json(reply.json()));
        }
    }
    assert!(!accepted.is_empty());

    world.order_management(0).start_again().unwrap();
    world.ready().await;

    balance(&world, &accepted).await;
}

#[tokio::test]
async fn a_worker_that_is_stopped_finishes_its_unacked_requests() {
    let world = World::builder().worker_env("GATEWAY_LATENCY_MS", "1500").start().await;
    let orders = world.place_orders(50).await;
    eventually("all charges to be under way", LONG, async || {
        world.count("select count(*) from payments.payments").await == 50
    })
    .await;

    world.worker(0).sigterm().unwrap();
    let exit = world.worker(0).wait_exit(Duration::from_secs(12)).await.unwrap();

    assert!(exit.success(), "{exit:?}");
    assert_eq!(world.queue_depth("processingorders").await, 0, "nothing had to go back");
    balance(&world, &orders).await;
}

#[tokio::test]
async fn a_worker_that_cannot_finish_in_time_requeues_the_rest() {
    let mut world = World::builder()
        .env("ORDERS_PER_MESSAGE", "1")
        .worker_env("GATEWAY_LATENCY_MS", "600000")
        .worker_env("GATEWAY_TIMEOUT_MS", "600000")
        .worker_env("DRAIN_TIMEOUT_MS", "1000")
        .start()
        .await;
    let orders = world.place_orders(50).await;
    eventually("all charges to be under way", LONG, async || {
        world.count("select count(*) from payments.payments").await == 50
    })
    .await;

    let started = Instant::now();
    world.worker(0).sigterm().unwrap();
    let exit = world.worker(0).wait_exit(Duration::from_secs(10)).await.unwrap();

    assert!(exit.success(), "{exit:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    eventually("the rest to be back in the queue", LONG, async || {
        world.queue_depth("processingorders").await == 50
    })
    .await;
    world.set_worker_env("GATEWAY_LATENCY_MS", "0");
    world.add_worker().await;
    balance(&world, &orders).await;
}

#[tokio::test]
async fn a_worker_that_is_stopped_begins_no_charge_and_requeues_the_waiting_requests() {
    let mut world = World::builder()
        .workers(0)
        .env("ORDERS_PER_MESSAGE", "10")
        .worker_env("PREFETCH", "20")
        .worker_env("GATEWAY_LATENCY_MS", "2000")
        .start()
        .await;
    let orders = world.place_orders(400).await;
    world.add_worker().await;
    eventually("charges to be under way", LONG, async || {
        world.try_count("select count(*) from payments.payments").await.unwrap_or(0) >= 11
    })
    .await;

    let started = Instant::now();
    world.worker(0).sigterm().unwrap();
    eventually_logged(world.worker(0), "signal=SIGTERM").await;
    let at_the_stop = world.count("select count(*) from payments.payments").await;
    let exit = world.worker(0).wait_exit(Duration::from_secs(12)).await.unwrap();

    assert!(exit.success(), "{exit:?}");
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    let begun = world.count("select count(*) from payments.payments").await - at_the_stop;
    assert!(begun <= 20, "{begun} charges were begun by a worker that was stopped");
    let cut = world.count("select count(*) from payments.payments where status = 'started'").await;
    assert_eq!(cut, 0, "charges were cut off that had time to end");
    world.set_worker_env("GATEWAY_LATENCY_MS", "0");
    world.add_worker().await;
    balance(&world, &orders).await;
}

/// Blocks every insert of an order until `released` has a row.
const HOLD: &str = "
    do $$ begin
        lock table outbox in access exclusive mode;
        while not exists (select from released) loop perform pg_sleep(0.01); end loop;
    end $$";
const HOLDING: &str = "
    select count(*) from pg_locks
     where relation = 'outbox'::regclass and mode = 'AccessExclusiveLock' and granted";
const HELD_UP: &str = "
    select count(*) from pg_stat_activity
     where wait_event_type = 'Lock' and application_name = 'order-management'
       and query ilike '%insert into orders%' and datname = current_database()";

#[tokio::test]
async fn an_order_that_is_being_stored_at_the_stop_gets_its_answer() {
    let world = World::start().await;
    world.sql("create table released (yes bool)").await;
    let stop = async {
        eventually("the order to be under way", LONG, async || world.count(HELD_UP).await == 1)
            .await;
        world.order_management(0).sigterm().unwrap();
        eventually("the stop to begin", LONG, async || {
            world.order_management(0).log_contains("signal=SIGTERM")
        })
        .await;
        world.sql("insert into released values (true)").await;
        world.order_management(0).wait_exit(Duration::from_secs(12)).await.unwrap()
    };

    let place = async {
        eventually("the store to be held", LONG, async || world.count(HOLDING).await == 1).await;
        let request = world.request(Method::POST, "/orders");
        world.try_send(request.json(&order_body("pm_card_visa"))).await
    };
    let (_held, reply, exit) = tokio::join!(world.sql(HOLD), place, stop);

    assert!(exit.success(), "{exit:?}");
    let reply = reply.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.text);
    world.order_management(0).start_again().unwrap();
    world.ready().await;
    balance(&world, &[Order::from_json(reply.json())]).await;
}
