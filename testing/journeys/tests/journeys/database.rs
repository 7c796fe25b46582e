//! PostgreSQL is killed, restarted, cut off or silent.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::eventually;
use testkit::eventually::wait_for;
use testkit::world::{Order, World, order_body};

use super::ledger::{LONG, balance, counter, place_stubbornly};

async fn place_many(world: &World, prefix: &str) -> Vec<Order> {
    let clients = (0..40).map(|n| place_stubbornly(world, format!("{prefix}-{n}")));
    futures_util::future::join_all(clients).await
}

#[tokio::test]
async fn the_database_is_killed_under_load_and_every_201_is_kept() {
    let world = World::builder().private_servers().workers(2).start().await;
    let before = world.place_orders(40).await;
    let (during, ()) = tokio::join!(place_many(&world, "during"), async {
        world.postgres().kill().await.unwrap();
        world.postgres().start_again().await.unwrap();
    });
    let after = place_many(&world, "after").await;

    let orders: Vec<Order> = before.into_iter().chain(during).chain(after).collect();
    balance(&world, &orders).await;
    let all = world.count("select count(*) from orders").await;
    assert_eq!(all, 120, "a repeated key made a second order");
}

#[tokio::test]
async fn without_a_database_an_order_is_refused_with_a_time_to_come_back() {
    let world = World::builder()
        .proxied()
        .order_management_env("POSTGRES_STATEMENT_TIMEOUT_MS", "500")
        .start()
        .await;
    world.links().order_management.database.black_hole();

    let refused = world.place(order_body("pm_card_visa")).await;

    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!(world.get("/health/ready").await.status, 503);
    world.links().order_management.database.heal();
    eventually("the database to be found again", Duration::from_secs(30), async || {
        world.get("/health/ready").await.status == 200
    })
    .await;
    let order = world.place_order().await;
    assert_eq!(world.eventually_settled(&order).await.status, "Confirmed");
}

#[tokio::test]
async fn a_connection_that_fell_silent_is_left_for_a_new_one() {
    let world = World::builder()
        .workers(0)
        .order_management_env("POSTGRES_POOL_MAX", "1")
        .order_management_env("POSTGRES_STATEMENT_TIMEOUT_MS", "500")
        .start()
        .await;
    let theirs = "select pid from pg_stat_activity
                   where application_name = 'order-management' and datname = current_database()";
    let silent: Vec<Pid> =
        world.sql(theirs).await.iter().map(|row| Pid::from_raw(row.get("pid"))).collect();
    assert!(!silent.is_empty());
    silent.iter().for_each(|pid| kill(*pid, Signal::SIGSTOP).unwrap());

    let what = "an answer over a new connection";
    let found = wait_for(what, Duration::from_secs(20), async || {
        world.get("/products/1").await.status == 200
    })
    .await;

    silent.iter().for_each(|pid| kill(*pid, Signal::SIGCONT).unwrap());
    found.unwrap();
}

#[tokio::test]
async fn unacked_requests_wait_for_the_database_and_go_to_no_retry_queue() {
    let world =
        World::builder().proxied().worker_env("POSTGRES_STATEMENT_TIMEOUT_MS", "500").start().await;
    world.links().workers.database.cut();
    let orders = world.place_orders(5).await;
    eventually("the worker to wait", LONG, async || {
        world.worker(0).log_contains("waiting for the database")
    })
    .await;

    world.links().workers.database.heal();

    balance(&world, &orders).await;
    let url = world.worker(0).ops_url("/metrics");
    assert_eq!(counter(&world, url, "ordermill_retries_total").await, 0.0);
}
