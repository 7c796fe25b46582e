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

use super::ledger::{LONG, balance};

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

#[tokio::test]
async fn a_message_whose_headers_fill_a_frame_is_dead_lettered_alone() {
    let mut world = World::builder().workers(0).env("DELIVERY_LIMIT", "5").start().await;
    let mut orders = world.place_orders(10).await;
    let full = with_header("pad", AMQPValue::LongString("x".repeat(131_000).into()));
    world.publish_raw(REQUESTS, b"nonsense", full).await;
    orders.extend(world.place_orders(10).await);

    world.add_worker().await;

    balance(&world, &orders).await;
    eventually_dead_lettered(&world, 1).await;
}
