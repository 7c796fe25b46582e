//! A message counts as relayed only by its own confirm (P4).

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use testkit::world::World;
use testkit::{eventually, rabbitmq};

use super::ledger::{LONG, balance, counter};

/// The number of messages of order-management 0 with this outcome.
async fn published(world: &World, error_type: &str) -> f64 {
    let name = format!("messaging_client_sent_messages_total{{error_type=\"{error_type}\"}}");
    counter(world, world.order_management(0).ops_url("/metrics"), &name).await
}

#[tokio::test]
async fn a_message_that_finds_no_queue_is_not_taken_for_relayed() {
    let mut world = World::builder().workers(0).start().await;
    let (_connection, channel) = world.channel().await;
    channel.queue_delete("processingorders".into(), Default::default()).await.unwrap();

    let order = world.place_order().await;

    eventually("the message to be returned", LONG, async || {
        published(&world, "returned").await >= 1.0
    })
    .await;
    world.add_worker().await;
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn a_message_that_the_broker_refuses_is_not_taken_for_relayed() {
    let mut world = World::builder().private_servers().workers(0).start().await;
    let policies = format!("{}/api/policies/{}", world.rabbitmq().management_url(), world.name());
    let full = world
        .http()
        .request(Method::PUT, format!("{policies}/full"))
        .basic_auth(rabbitmq::USER, Some(rabbitmq::PASSWORD))
        .json(&json!({"pattern": "^processingorders$", "definition": {"max-length": 1},
                      "apply-to": "queues"}));
    assert_eq!(world.send(full).await.status, 201);

    // A full queue refuses messages only after a moment.
    let mut orders = Vec::new();
    eventually("a message to be refused", LONG, async || {
        orders.push(world.place_order().await);
        published(&world, "nacked").await >= 1.0
    })
    .await;
    world.add_worker().await;

    balance(&world, &orders).await;
}

#[tokio::test]
async fn a_message_whose_confirm_never_came_is_published_again_before_its_lease_is_over() {
    let world = World::builder()
        .proxied()
        .order_management_env("CONFIRM_TIMEOUT_MS", "500")
        .order_management_env("OUTBOX_LEASE_MS", "3600000")
        .start()
        .await;
    let broker = &world.links().order_management.broker;
    broker.black_hole();
    let order = world.place_order().await;
    eventually("the confirm to be missed", Duration::from_secs(20), async || {
        published(&world, "unknown").await >= 1.0
    })
    .await;

    // Data that was sent to the silent connection never arrives.
    broker.cut();
    broker.heal();

    balance(&world, &[order]).await;
}

#[tokio::test]
async fn an_order_that_is_being_published_is_left_alone_by_the_sweep() {
    let world = World::builder()
        .proxied()
        .workers(0)
        .env("ORDERS_PER_MESSAGE", "1")
        .order_management_env("OUTBOX_SWEEP_MS", "10")
        .order_management_env("OUTBOX_LEASE_MS", "60000")
        .start()
        .await;
    world.links().order_management.broker.delay(Duration::from_millis(500));

    world.place_orders(20).await;

    eventually("all to be relayed", LONG, async || {
        world.count("select count(*) from outbox").await == 0
    })
    .await;
    assert_eq!(world.queue_depth("processingorders").await, 20, "one message an order");
}
