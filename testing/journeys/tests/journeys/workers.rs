//! Workers that come and go.

use testkit::eventually;
use testkit::world::World;

use super::ledger::{LONG, balance, counter};

#[tokio::test]
async fn workers_that_are_killed_under_load_lose_nothing_and_charge_nothing_twice() {
    let mut world =
        World::builder().workers(2).worker_env("GATEWAY_LATENCY_MS", "20").start().await;
    let mut orders = Vec::new();
    for round in 0..4 {
        let (placed, killed) = tokio::join!(world.place_orders(100), world.worker(round).sigkill());
        killed.unwrap();
        orders.extend(placed);
        world.add_worker().await;
    }

    balance(&world, &orders).await;
}

#[tokio::test]
async fn a_request_that_is_delivered_again_captures_the_money_once() {
    let world = World::builder().workers(2).start().await;
    let order = world.place_order().await;
    for _ in 0..10 {
        world.deliver_payment_request_again(&order).await;
    }
    assert_eq!(world.eventually_settled(&order).await.status, "Confirmed");
    for _ in 0..10 {
        world.deliver_payment_request_again(&order).await;
    }

    super::ledger::counted(&world, "ordermill_results_total{outcome=\"repeated\"}", 20.0).await;

    assert_eq!(world.captures_for(&order).await, 1);
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn a_second_request_with_another_amount_changes_nothing() {
    let world = World::start().await;
    let order = world.place_order().await;
    let settled = world.eventually_settled(&order).await;
    let mut dearer = settled.clone();
    dearer.json["totalPrice"] = serde_json::json!(5000);
    world.deliver_payment_request_again(&dearer).await;

    super::ledger::counted(&world, "ordermill_results_total{outcome=\"repeated\"}", 1.0).await;

    let amounts = world.count("select sum(amount_minor)::bigint from simulated_gateway.captures");
    assert_eq!(amounts.await, 19900);
    assert_eq!(world.get_order(order.id).await.status, "Confirmed");
}

#[tokio::test]
async fn an_unacked_result_of_an_order_management_that_is_killed_is_not_lost() {
    let mut world = World::builder().proxied().workers(0).start().await;
    let order = world.place_order().await;
    eventually("the request to be relayed", LONG, async || {
        world.queue_depth("processingorders").await == 1
    })
    .await;
    world.links().order_management.database.black_hole();
    let worker = world.add_worker().await;
    world.worker(worker).ready(LONG).await.unwrap();
    let url = || world.worker(worker).ops_url("/metrics");
    eventually("the result to be in its hand", LONG, async || {
        let sent = "messaging_client_sent_messages_total{error_type=\"\"}";
        counter(&world, url(), sent).await >= 1.0 && world.queue_depth("processedorders").await == 0
    })
    .await;

    world.order_management(0).sigkill().await.unwrap();
    world.links().order_management.database.heal();
    world.order_management(0).start_again().unwrap();
    world.ready().await;

    assert_eq!(world.eventually_settled(&order).await.status, "Confirmed");
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn a_payment_that_has_ended_is_replied_to_again_without_asking_the_gateway() {
    let world = World::start().await;
    let paid = world.place_order().await;
    let declined = world.place_order_with("pm_card_chargeDeclined").await;
    for order in [&paid, &declined] {
        world.eventually_settled(order).await;
        world.deliver_payment_request_again(order).await;
    }

    super::ledger::counted(&world, "ordermill_results_total{outcome=\"repeated\"}", 2.0).await;

    for outcome in ["captured", "declined"] {
        let name = format!("ordermill_charges_total{{outcome=\"{outcome}\"}}");
        let asked = counter(&world, world.worker(0).ops_url("/metrics"), &name).await;
        assert_eq!(asked, 1.0, "{outcome}");
    }
    assert_eq!(world.get_order(declined.id).await.status, "Canceled");
}

#[tokio::test]
async fn a_payment_that_was_begun_is_charged_as_it_was_first_requested() {
    let mut world = World::builder()
        .worker_env("GATEWAY_LATENCY_MS", "600000")
        .worker_env("GATEWAY_TIMEOUT_MS", "50")
        .worker_env("RETRY_DELAYS_MS", "60000")
        .start()
        .await;
    let order = world.place_order().await;
    eventually("the charge to be put off", LONG, async || {
        world.queue_depth("processingorders.retry.60000").await == 1
    })
    .await;
    world.worker(0).sigkill().await.unwrap();
    world.set_worker_env("GATEWAY_LATENCY_MS", "0");
    world.set_worker_env("GATEWAY_TIMEOUT_MS", "10000");
    world.add_worker().await;
    let mut dearer = order.clone();
    dearer.json["totalPrice"] = serde_json::json!(500);

    world.deliver_payment_request_again(&dearer).await;

    assert_eq!(world.eventually_settled(&order).await.status, "Confirmed");
    let amounts = world.count("select sum(amount_minor)::bigint from simulated_gateway.captures");
    assert_eq!(amounts.await, 19900);
}
