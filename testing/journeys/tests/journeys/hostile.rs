//! Messages with malicious properties: each is dead-lettered like any other, without delay for the
//! next message (P6).

use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ConnectionProperties};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::world::World;
use testkit::{eventually, rabbitmq};

use super::ledger::{LONG, balance, counter};
use super::operator::{command, eventually_deep, eventually_listed};

const REQUESTS: &str = "processingorders";
const DEAD: &str = "processingorders.dead";

fn with_header(key: &str, value: AMQPValue) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert(key.into(), value);
    BasicProperties::default().with_headers(headers)
}

async fn eventually_dead_lettered(world: &World, count: u32) {
    eventually("the message to be dead-lettered", Duration::from_secs(30), async || {
        let depth = world.queue_depth(DEAD).await;
        if depth == count { Ok(()) } else { Err(depth) }
    })
    .await;
}

#[tokio::test]
async fn a_dead_letter_does_not_expire_with_its_message() {
    let world = World::start().await;
    let brief = BasicProperties::default().with_expiration("60000".into());
    world.publish_raw(REQUESTS, b"nonsense", brief).await;
    eventually_dead_lettered(&world, 1).await;

    let dead = world.messages_in(DEAD).await;

    assert_eq!(dead[0].properties.expiration(), &None);
}

#[tokio::test]
async fn a_message_that_names_more_queues_is_dead_lettered_once() {
    let world = World::start().await;
    let copies = vec![AMQPValue::LongString(REQUESTS.into())];
    let copied = with_header("CC", AMQPValue::FieldArray(copies.into()));
    world.publish_raw(REQUESTS, b"nonsense", copied).await;
    eventually("the message to be dead-lettered", LONG, async || {
        world.queue_depth(DEAD).await >= 1
    })
    .await;

    let orders = world.place_orders(50).await;

    balance(&world, &orders).await;
    assert_eq!(world.queue_depth(DEAD).await, 1);
}

#[tokio::test]
async fn a_message_of_another_broker_user_is_dead_lettered() {
    let world = World::builder().private_servers().start().await;
    let api = format!("{}/api", world.rabbitmq().management_url());
    let put = async |path: String, body: Value| {
        let request = world.http().request(Method::PUT, format!("{api}/{path}")).json(&body);
        let request = request.basic_auth(rabbitmq::USER, Some(rabbitmq::PASSWORD));
        assert!(world.send(request).await.status < 300);
    };
    put("users/other".into(), json!({"password": "other", "tags": ""})).await;
    let all = json!({"configure": ".*", "write": ".*", "read": ".*"});
    put(format!("permissions/{}/other", world.name()), all).await;
    let own = format!("{}:{}@", rabbitmq::USER, rabbitmq::PASSWORD);
    let url = world.rabbitmq().url(world.name()).replace(&own, "other:other@");
    let theirs = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = theirs.create_channel().await.unwrap();
    let signed = BasicProperties::default().with_user_id("other".into()).with_delivery_mode(2);
    let options = BasicPublishOptions::default();
    let sent = channel.basic_publish("".into(), REQUESTS.into(), options, b"nonsense", signed);
    sent.await.unwrap();

    eventually_dead_lettered(&world, 1).await;

    let orders = world.place_orders(20).await;
    balance(&world, &orders).await;
}

/// Publishes a message whose headers contain arrays in arrays, which no client of ours can encode.
async fn publish_nested(world: &World, queue: &str, depth: usize) {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    let body = format!(
        "{{\"properties\":{{\"delivery_mode\":2,\"message_id\":\"deep\",\"headers\":{{\"deep\":{open}{close}}}}},\
         \"routing_key\":\"{queue}\",\"payload\":\"nonsense\",\"payload_encoding\":\"string\"}}"
    );
    let management = world.isolation().rabbitmq().management_url();
    let url = format!("{management}/api/exchanges/{}/amq.default/publish", world.name());
    let request = world.http().request(Method::POST, url).body(body);
    let request = request.basic_auth(rabbitmq::USER, Some(rabbitmq::PASSWORD));
    let reply = world.send(request).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, "{\"routed\":true}"));
}

#[tokio::test]
async fn a_message_whose_headers_are_nested_too_deep_is_dead_lettered_alone_and_readable() {
    let mut world = World::builder().workers(0).env("DELIVERY_LIMIT", "20").start().await;
    let mut orders = world.place_orders(10).await;
    publish_nested(&world, REQUESTS, 11_000).await;
    orders.extend(world.place_orders(10).await);

    let worker = world.add_worker().await;

    balance(&world, &orders).await;
    let dead = eventually_listed(&world, "", 1).await;
    assert_eq!(dead[0]["reason"], "unreadable");
    assert!(dead[0]["detail"].as_str().unwrap().contains("nested"), "{dead:?}");
    assert!(world.worker(worker).is_running(), "nothing died");
    let connects = "ordermill_broker_connects_total{role=\"consume\"}";
    assert_eq!(counter(&world, world.worker(worker).ops_url("/metrics"), connects).await, 1.0);
}

#[tokio::test]
async fn a_dead_letter_whose_headers_are_nested_too_deep_can_be_listed_and_shown() {
    let world = World::builder().workers(0).start().await;
    // Each level costs the broker as much as all levels inside it.
    publish_nested(&world, DEAD, 5_000).await;
    publish_nested(&world, DEAD, 6_000).await;

    let dead = eventually_listed(&world, "", 2).await;

    assert!(dead.iter().all(|letter| letter["reason"] == "unreadable"), "{dead:?}");
    let (code, list) = command(&world, &["list"]).await;
    assert_eq!((code, list.lines().count()), (0, 3), "{list}");
    let (code, shown) = command(&world, &["show", dead[0]["id"].as_str().unwrap()]).await;
    assert!(code == 0 && shown.contains("nested"), "{shown}");
}

#[tokio::test]
async fn messages_that_came_back_from_dead_consumers_are_handled_one_by_one_after_a_restart() {
    let mut world = World::builder()
        .workers(0)
        .order_management_env("ORDERS_PER_MESSAGE", "1")
        .worker_env("GATEWAY_TIMEOUT_MS", "600000")
        .start()
        .await;
    for _ in 0..5 {
        world.place_order_with("pm_card_neverAnswers").await;
    }
    eventually_deep(&world, REQUESTS, 5).await;
    for _ in 0..2 {
        // A consumer that dies with all of them unacked.
        drop(world.messages_in(REQUESTS).await);
    }

    let worker = world.add_worker().await;

    world.worker(worker).ready(LONG).await.unwrap();
    let unacked = format!("ordermill_messages_unacked{{queue=\"{REQUESTS}\"}}");
    eventually("one message to be unacked", LONG, async || {
        let unacked = counter(&world, world.worker(worker).ops_url("/metrics"), &unacked).await;
        if unacked == 1.0 { Ok(()) } else { Err(unacked) }
    })
    .await;
    assert_eq!(world.queue_depth(REQUESTS).await, 4);
}

#[tokio::test]
async fn large_messages_wait_in_the_queue_and_not_in_the_worker() {
    let mut world = World::builder().workers(0).start().await;
    let body = vec![b' '; 1024 * 1024];
    for _ in 0..100 {
        world.publish_raw(REQUESTS, &body, BasicProperties::default()).await;
    }
    let order = world.place_order().await;

    let worker = world.add_worker().await;

    eventually_deep(&world, DEAD, 100).await;
    assert_eq!(world.eventually_settled(&order).await.status, "Confirmed");
    let peak = world.worker(worker).peak_memory().unwrap();
    assert!(peak < 128 * 1024 * 1024, "{peak}");
}

#[tokio::test]
async fn a_message_whose_headers_fill_a_frame_is_dead_lettered_alone() {
    let mut world = World::builder().workers(0).env("DELIVERY_LIMIT", "5").start().await;
    let mut orders = world.place_orders(10).await;
    let full = with_header("pad", AMQPValue::LongString("x".repeat(131_000).into()));
    world.publish_raw(REQUESTS, b"nonsense", full).await;
    orders.extend(world.place_orders(10).await);

    world.add_worker().await;

    balance(&world, &orders).await;
    let dead = eventually_listed(&world, "", 1).await;
    assert_eq!(dead[0]["reason"], "unreadable", "at the first delivery");
}
