//! The gateway with every test card: P2 and P3.

use std::time::Duration;

use lapin::types::AMQPValue;
use testkit::eventually;
use testkit::world::{World, WorldBuilder};

use super::ledger::{LONG, balance, eventually_counted};

fn impatient() -> WorldBuilder {
    World::builder()
        .worker_env("GATEWAY_LATENCY_MS", "0")
        .worker_env("GATEWAY_TIMEOUT_MS", "300")
        .worker_env("RETRY_DELAYS_MS", "100,200,400")
}

#[tokio::test]
async fn a_gateway_that_errs_twice_is_asked_until_it_answers() {
    // Each try is counted: none may end by the clock.
    let world = impatient().worker_env("GATEWAY_TIMEOUT_MS", "60000").start().await;
    let order = world.place_order_with("pm_card_errorsTwice").await;

    let settled = world.eventually_settled(&order).await;

    assert_eq!(settled.status, "Confirmed");
    let tries = world.count("select count::bigint from simulated_gateway.attempts").await;
    assert_eq!(tries, 3);
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn money_that_was_captured_in_silence_is_found_and_not_captured_again() {
    let world = impatient().start().await;
    let order = world.place_order_with("pm_card_captureThenTimeout").await;

    let settled = world.eventually_settled(&order).await;

    assert_eq!(settled.status, "Confirmed");
    assert_eq!(world.captures_for(&order).await, 1);
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn a_charge_without_a_verdict_stays_pending_and_is_retried_again_and_again() {
    let world = impatient().start().await;
    let silent = world.place_order_with("pm_card_neverAnswers").await;
    let other = world.place_order().await;

    assert_eq!(world.eventually_settled(&other).await.status, "Confirmed");
    let url = || world.worker(0).ops_url("/metrics");
    eventually("the gateway to be asked four times", LONG, async || {
        super::ledger::counter(&world, url(), "ordermill_charges_total{outcome=\"unknown\"}").await
            >= 4.0
    })
    .await;

    assert_eq!(world.get_order(silent.id).await.status, "Pending", "unknown is never failed (P3)");
    assert_eq!(
        world.queue_depth("processingorders.dead").await,
        0,
        "nothing else is dead-lettered (P6)"
    );
}

#[tokio::test]
async fn an_outage_of_the_gateway_costs_time_and_no_order() {
    let world = World::builder()
        .workers(0)
        .worker_env("GATEWAY_LATENCY_MS", "5000")
        .worker_env("GATEWAY_TIMEOUT_MS", "100")
        .worker_env("RETRY_DELAYS_MS", "100,200")
        .start()
        .await;
    let mut world = world;
    let late = world.add_worker().await;
    world.worker(late).ready(LONG).await.unwrap();
    let orders = world.place_orders(20).await;
    eventually("every charge to be unknown at least twice", LONG, async || {
        let url = world.worker(late).ops_url("/metrics");
        super::ledger::counter(&world, url, "ordermill_charges_total{outcome=\"unknown\"}").await
            >= 40.0
    })
    .await;
    assert_eq!(world.count("select count(*) from orders where status <> 'Pending'").await, 0);

    world.worker(late).sigkill().await.unwrap();
    world.set_worker_env("GATEWAY_LATENCY_MS", "0");
    world.add_worker().await;

    balance(&world, &orders).await;
}

#[tokio::test]
async fn a_worker_that_is_killed_in_the_middle_of_a_charge_leaves_it_to_another_one() {
    let mut world = World::builder()
        .worker_env("GATEWAY_LATENCY_MS", "600000")
        .worker_env("GATEWAY_TIMEOUT_MS", "600000")
        .start()
        .await;
    let order = world.place_order().await;
    eventually("the charge to be started", LONG, async || {
        world.count("select count(*) from payments.payments where status = 'started'").await == 1
    })
    .await;

    world.worker(0).sigkill().await.unwrap();
    world.set_worker_env("GATEWAY_LATENCY_MS", "0");
    world.add_worker().await;

    assert_eq!(world.eventually_settled(&order).await.status, "Confirmed");
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn a_worker_that_is_killed_between_capture_and_record_does_not_capture_twice() {
    let mut world = World::builder()
        .worker_env("GATEWAY_LATENCY_MS", "0")
        .worker_env("GATEWAY_TIMEOUT_MS", "600000")
        .start()
        .await;
    let order = world.place_order_with("pm_card_captureThenTimeout").await;
    eventually("the money to be captured", LONG, async || world.captures_for(&order).await == 1)
        .await;

    world.worker(0).sigkill().await.unwrap();
    world.add_worker().await;

    let settled = world.settled_within(Duration::from_secs(30), &order).await;
    assert_eq!(settled.status, "Confirmed");
    assert_eq!(world.captures_for(&order).await, 1);
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn a_charge_without_a_verdict_waits_in_the_next_longer_retry_queue_each_time() {
    let world = World::builder()
        .worker_env("GATEWAY_TIMEOUT_MS", "50")
        .worker_env("RETRY_DELAYS_MS", "50,100,60000")
        .start()
        .await;
    world.place_order_with("pm_card_neverAnswers").await;

    let last = "processingorders.retry.60000";
    eventually("the message to be in the last retry queue", LONG, async || {
        world.queue_depth(last).await == 1
    })
    .await;

    let waiting = world.messages_in(last).await;
    let headers = waiting[0].properties.headers().clone().unwrap_or_default();
    assert_eq!(headers.inner().get("x-attempts"), Some(&AMQPValue::LongLongInt(3)));
}

#[tokio::test]
async fn orders_that_are_never_answered_leave_most_places_to_new_orders() {
    let world = World::builder()
        .worker_env("PREFETCH", "8")
        .worker_env("GATEWAY_TIMEOUT_MS", "3000")
        .worker_env("RETRY_DELAYS_MS", "1000")
        .order_management_env("RETRY_DELAYS_MS", "1000")
        .start()
        .await;
    for _ in 0..40 {
        world.place_order_with("pm_card_neverAnswers").await;
    }
    let unknown = "ordermill_charges_total{outcome=\"unknown\"}";
    eventually_counted(&world, world.worker(0), unknown, 44.0).await;

    let healthy = world.place_order().await;

    let settled = world.settled_within(Duration::from_secs(10), &healthy).await;
    assert_eq!(settled.status, "Confirmed");
}
