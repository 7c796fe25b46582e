//! Batches form, are bounded, and one bad order fails alone.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use testkit::world::{Order, World, order_body};

use super::ledger::{balance, counter};

#[tokio::test]
async fn orders_that_arrive_together_are_committed_together_and_bad_ones_fail_alone() {
    let world = World::builder().proxied().start().await;
    world.links().order_management.database.delay(Duration::from_millis(50));
    let calls = (0..200).map(|n| {
        let mut body = order_body("pm_card_visa");
        if n % 10 == 3 {
            body["productId"] = json!("999");
        }
        if n % 10 == 7 {
            body["customerId"] = json!("999");
        }
        world.place(body)
    });
    let replies = join_all(calls).await;

    let mut placed = Vec::new();
    for (n, reply) in replies.iter().enumerate() {
        match n % 10 {
            3 => assert_eq!(reply.json()["errors"][0]["field"], "productId", "{}", reply.text),
            7 => assert_eq!(reply.json()["errors"][0]["field"], "customerId", "{}", reply.text),
            _ => placed.push(Order::from_json(reply.json())),
        }
    }
    assert_eq!(placed.len(), 160);
    let url = || world.order_management(0).ops_url("/metrics");
    let batches = counter(&world, url(), "ordermill_stage_batch_size_count{stage=\"place\"}").await;
    assert!(batches < 60.0, "200 orders took {batches} commits");
    world.links().order_management.database.heal();
    balance(&world, &placed).await;
}

#[tokio::test]
async fn past_the_bound_an_order_is_refused_at_once_with_a_time_to_come_back() {
    let world = World::builder().proxied().order_management_env("INTAKE_MAX", "5").start().await;
    world.links().order_management.database.delay(Duration::from_millis(300));

    let replies = join_all((0..100).map(|_| world.place(order_body("pm_card_visa")))).await;

    let placed = replies.iter().filter(|reply| reply.status == 201);
    let orders: Vec<Order> = placed.map(|reply| Order::from_json(reply.json())).collect();
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 503).collect();
    assert!(!orders.is_empty() && !refused.is_empty());
    assert_eq!(orders.len() + refused.len(), 100);
    assert!(refused.iter().all(|reply| reply.header("retry-after") == Some("1")));
    let stored = world.count("select count(*) from orders").await;
    assert_eq!(stored, i64::try_from(orders.len()).unwrap(), "what was refused left nothing");
    world.links().order_management.database.heal();
    balance(&world, &orders).await;
}

/// Charges that have begun and have not ended.
const IN_WORK: &str = "select count(*) from payments.payments where status = 'started'";

const CHARGED: &str = "select count(*) from payments.payments where status = 'captured'";

#[tokio::test]
async fn no_more_orders_are_in_work_than_prefetch_says_however_they_are_packed() {
    let mut world = World::builder()
        .workers(0)
        .order_management_env("ORDERS_PER_MESSAGE", "20")
        .worker_env("PREFETCH", "40")
        .worker_env("GATEWAY_LATENCY_MS", "250")
        .start()
        .await;
    let orders = world.place_orders(400).await;
    let packed = async || world.count("select count(*) from outbox").await == 0;
    testkit::eventually("all orders to be relayed", super::ledger::LONG, packed).await;
    assert!(world.queue_depth("processingorders").await < 200, "they travel in packs");

    world.add_worker().await;

    let mut most = 0;
    testkit::eventually("all orders to be charged", super::ledger::LONG, async || {
        // The worker creates its tables first.
        most = most.max(world.try_count(IN_WORK).await.unwrap_or(0));
        world.try_count(CHARGED).await.unwrap_or(0) == 400
    })
    .await;
    assert!((21..=40).contains(&most), "{most} orders were in work at the same time");
    balance(&world, &orders).await;
}
