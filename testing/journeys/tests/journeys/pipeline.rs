//! The way of one order, and of many, through the pipeline.

use serde_json::json;
use testkit::world::{World, order_body};

use super::ledger::{LONG, balance, counter};

#[tokio::test]
async fn an_order_is_paid_once_and_confirmed() {
    let world = World::start().await;
    let order = world.place_order().await;
    assert_eq!(order.status, "Pending");

    let settled = world.eventually_settled(&order).await;

    assert_eq!(settled.status, "Confirmed");
    assert_eq!(settled.json["createdAt"], order.json["createdAt"], "to the microsecond");
    assert_eq!(settled.json["totalPrice"], json!(199));
    assert_eq!(world.captures_for(&order).await, 1);
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn a_declined_order_is_canceled_and_no_money_moves() {
    let world = World::start().await;
    let declined = world.place_order_with("pm_card_chargeDeclined").await;
    let mut six = order_body("pm_card_visa");
    six["quantity"] = json!(6);
    let dear = testkit::world::Order::from_json(world.place(six).await.json());

    let declined = world.eventually_settled(&declined).await;
    let dear = world.eventually_settled(&dear).await;

    assert_eq!((declined.status.as_str(), dear.status.as_str()), ("Canceled", "Canceled"));
    assert_eq!(declined.json["cancelReason"], "card_declined");
    assert_eq!(dear.json["cancelReason"], "insufficient_funds");
    assert_eq!(dear.json["totalPrice"], json!(1194));
    assert_eq!(world.captures_for(&dear).await, 0);
    balance(&world, &[declined, dear]).await;
}

#[tokio::test]
async fn several_workers_share_the_orders() {
    let world = World::builder().workers(3).worker_env("PREFETCH", "20").start().await;
    let orders = world.place_orders(300).await;

    balance(&world, &orders).await;

    for i in 0..3 {
        let url = world.worker(i).ops_url("/metrics");
        let captured = counter(&world, url, "ordermill_charges_total{outcome=\"captured\"}").await;
        assert!(captured >= 1.0, "worker {i} charged nothing");
    }
}

#[tokio::test]
async fn two_order_managements_serve_the_same_orders() {
    let world = World::builder().order_management(2).workers(2).start().await;
    let orders = world.place_orders(60).await;

    world.eventually_all_settled(LONG).await;

    let there = world.http().get(world.url(1, &format!("/orders/{}", orders[0].id)));
    assert_eq!(world.send(there).await.json()["status"], "Confirmed");
    balance(&world, &orders).await;
}

#[tokio::test]
async fn an_order_is_relayed_by_the_process_that_placed_it_without_a_sweep() {
    let world = World::builder()
        .order_management_env("OUTBOX_LEASE_MS", "3600000")
        .order_management_env("OUTBOX_SWEEP_MS", "60000")
        .start()
        .await;
    let order = world.place_order().await;

    assert_eq!(world.eventually_settled(&order).await.status, "Confirmed");
    let url = world.order_management(0).ops_url("/metrics");
    assert_eq!(counter(&world, url, "ordermill_outbox_swept_total").await, 0.0);
}
