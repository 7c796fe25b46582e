//! Unreadable messages are dead-lettered with their reason, and delay no other message (P6).

use lapin::BasicProperties;
use lapin::options::BasicGetOptions;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::json;
use testkit::eventually;
use testkit::world::World;
use uuid::Uuid;

use super::ledger::{LONG, balance};

fn header(message: &lapin::message::BasicGetMessage, key: &str) -> String {
    let headers = message.properties.headers().clone().unwrap_or_default();
    match headers.inner().get(key) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        other => format!("{other:?}"),
    }
}

const NONSENSE: [&[u8]; 6] = [
    b"",
    b"nonsense",
    b"{\"orderId\":1}",
    b"[]",
    b"\xff\xfe",
    b"{\"orderId\":\"x\",\"totalPrice\":1e400,\"paymentStatus\":\"maybe\"}",
];

#[tokio::test]
async fn nonsense_on_both_queues_is_dead_lettered_and_good_messages_go_on() {
    let world = World::start().await;
    let mut orders = Vec::new();
    for body in NONSENSE {
        for queue in ["processingorders", "processedorders"] {
            let mut headers = FieldTable::default();
            headers.insert("x-attempts".into(), AMQPValue::LongString("many".into()));
            let properties = BasicProperties::default().with_headers(headers);
            world.publish_raw(queue, body, properties).await;
        }
        orders.push(world.place_order().await);
    }

    balance(&world, &orders).await;

    for queue in ["processingorders.dead", "processedorders.dead"] {
        eventually("all nonsense to be dead-lettered", LONG, async || {
            world.queue_depth(queue).await == 6
        })
        .await;
        let mut dead = world.messages_in(queue).await;
        for message in &dead {
            assert_eq!(header(message, "x-reason"), "unreadable");
            assert!(!header(message, "x-detail").is_empty());
        }
        let mut bodies: Vec<Vec<u8>> = dead.drain(..).map(|m| m.delivery.data).collect();
        bodies.sort();
        let mut wanted = NONSENSE.map(<[u8]>::to_vec);
        wanted.sort();
        assert_eq!(bodies, wanted, "as they were");
    }
}

#[tokio::test]
async fn a_result_for_an_order_that_does_not_exist_is_dead_lettered() {
    let world = World::start().await;
    let body = json!({"orderId": Uuid::nil().to_string(), "paymentStatus": "successful"});
    let body = body.to_string();
    world.publish_raw("processedorders", body.as_bytes(), BasicProperties::default()).await;

    eventually("the result to be dead-lettered", LONG, async || {
        world.queue_depth("processedorders.dead").await == 1
    })
    .await;

    let dead = world.messages_in("processedorders.dead").await;
    assert_eq!(header(&dead[0], "x-reason"), "unknown_order");
    assert_eq!(dead[0].data, body.as_bytes());
}

#[tokio::test]
async fn a_message_that_keeps_killing_its_consumer_is_dead_lettered_by_the_broker() {
    let world = World::builder().workers(0).env("DELIVERY_LIMIT", "3").start().await;
    let order = world.place_order().await;
    eventually("the killer to be dead-lettered", LONG, async || {
        // A consumer that dies with the message unacked.
        let (connection, channel) = world.channel().await;
        let options = BasicGetOptions::default();
        let taken = channel.basic_get("processingorders".into(), options).await;
        drop((channel, connection, taken));
        world.queue_depth("processingorders.dead").await == 1
    })
    .await;

    let dead = world.messages_in("processingorders.dead").await;
    assert!(String::from_utf8_lossy(&dead[0].data).contains(&order.id.to_string()));
    let next = world.place_order().await;
    let mut world = world;
    world.add_worker().await;
    assert_eq!(world.eventually_settled(&next).await.status, "Confirmed");
}
