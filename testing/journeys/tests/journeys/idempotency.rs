//! The same key gives the first answer and no second order, for ever (P7).

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use testkit::world::{Order, Reply, World, order_body};

use super::ledger::balance;

async fn place(world: &World, i: usize, key: &str, body: &Value) -> Reply {
    let request = world.http().request(Method::POST, world.url(i, "/orders"));
    world.send(request.header("Idempotency-Key", key).json(body)).await
}

#[tokio::test]
async fn a_repeated_key_gives_the_first_answer_also_after_the_order_is_final_and_a_restart() {
    let world = World::start().await;
    let body = order_body("pm_card_visa");
    let first = place(&world, 0, "key-1", &body).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
    let order = Order::from_json(first.json());
    world.eventually_settled(&order).await;
    world.order_management(0).sigkill().await.unwrap();
    world.order_management(0).start_again().unwrap();
    world.ready().await;

    let again = place(&world, 0, "key-1", &body).await;

    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(world.count("select count(*) from orders").await, 1);
}

#[tokio::test]
async fn a_key_that_was_used_for_another_order_is_refused() {
    let world = World::start().await;
    let first = place(&world, 0, "key-1", &order_body("pm_card_visa")).await;
    assert_eq!(first.status, 201);

    let other = place(&world, 0, "key-1", &order_body("pm_card_mastercard")).await;

    assert_eq!(other.status, 422, "{}", other.text);
    assert_eq!(other.json()["type"], "urn:ordermill:problem:idempotency-key-reused");
    assert_eq!(world.count("select count(*) from orders").await, 1);
}

#[tokio::test]
async fn many_requests_with_the_same_keys_at_the_same_time_place_one_order_a_key() {
    let world = World::builder().order_management(2).start().await;
    let body = order_body("pm_card_visa");
    let keys: Vec<String> = (0..10).map(|n| format!("key-{n}")).collect();
    let calls = (0..200).map(|n| place(&world, n % 2, &keys[n % 10], &body));

    let replies = join_all(calls).await;

    for (n, reply) in replies.iter().enumerate() {
        assert!([201, 409].contains(&reply.status), "{n}: {} {}", reply.status, reply.text);
    }
    let mut placed: Vec<Order> = replies
        .iter()
        .filter(|reply| reply.status == 201)
        .map(|reply| Order::from_json(reply.json()))
        .collect();
    placed.sort_by_key(|order| order.id);
    placed.dedup_by_key(|order| order.id);
    assert_eq!(placed.len(), 10);
    assert_eq!(world.count("select count(*) from orders").await, 10);
    balance(&world, &placed).await;
}
