//! The two bodies, as a worker or a sender in another language would use them.

use futures_util::StreamExt as _;
use lapin::BasicProperties;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use serde_json::{Value, json};
use testkit::world::World;

use super::ledger::{balance, counted, eventually_logged, first_order};

#[tokio::test]
async fn a_worker_in_another_language_takes_part_with_the_two_bodies_alone() {
    let world = World::builder().workers(0).start().await;
    let order = world.place_order().await;
    let (_connection, channel) = world.channel().await;
    let (options, table) = (BasicConsumeOptions::default(), FieldTable::default());
    let mut requests =
        channel.basic_consume("processingorders".into(), "".into(), options, table).await.unwrap();
    let request = requests.next().await.unwrap().unwrap();
    let body: Value = serde_json::from_slice(&request.data).unwrap();
    assert_eq!(
        body,
        json!({"orderId": order.id.to_string(), "totalPrice": 199, "currency": "USD",
               "customerId": "1", "paymentMethod": "pm_card_visa"})
    );
    let properties = &request.properties;
    let text = |field: &Option<lapin::types::ShortString>| field.as_ref().map(ToString::to_string);
    assert_eq!(text(properties.reply_to()).as_deref(), Some("processedorders"));
    assert_eq!(text(properties.message_id()), Some(order.id.to_string()));
    assert_eq!(text(properties.kind()).as_deref(), Some("payment_request"));
    assert_eq!(text(properties.app_id()).as_deref(), Some("order-management"));
    assert_eq!(text(properties.content_type()).as_deref(), Some("application/json"));
    assert_eq!(*properties.delivery_mode(), Some(2));
    assert!(properties.timestamp().is_some() && properties.correlation_id().is_some());
    assert!(properties.headers().as_ref().unwrap().contains_key("traceparent"));

    let reply = json!({"orderId": order.id.to_string(), "paymentStatus": "successfull"});
    let bare = BasicProperties::default();
    world.publish_raw("processedorders", reply.to_string().as_bytes(), bare).await;
    request.acker.ack(BasicAckOptions::default()).await.unwrap();

    assert_eq!(world.eventually_settled(&order).await.status, "Confirmed");
}

#[tokio::test]
async fn the_request_id_travels_from_the_client_to_the_worker_and_back() {
    let world = World::builder().workers(0).start().await;
    let request = world.request(reqwest::Method::POST, "/orders").header("X-Request-ID", "req-7");
    let reply = world.send(request.json(&testkit::world::order_body("pm_card_visa"))).await;
    assert_eq!(reply.header("x-request-id"), Some("req-7"));
    testkit::eventually("the request to be relayed", super::ledger::LONG, async || {
        world.queue_depth("processingorders").await == 1
    })
    .await;

    let messages = world.messages_in("processingorders").await;

    let id = messages[0].properties.correlation_id().as_ref().map(ToString::to_string);
    assert_eq!(id.as_deref(), Some("req-7"));
}

#[tokio::test]
async fn a_late_contradicting_result_changes_nothing_and_is_counted() {
    let world = World::start().await;
    let order = world.place_order().await;
    let settled = world.eventually_settled(&order).await;
    let late = json!({"orderId": order.id.to_string(), "paymentStatus": "failed"}).to_string();
    world.publish_raw("processedorders", late.as_bytes(), BasicProperties::default()).await;

    counted(&world, "ordermill_results_total{outcome=\"contradicting\"}", 1.0).await;

    let line = eventually_logged(world.order_management(0), "a verdict contradicts").await;
    assert!(line.contains(&format!("trace_id={}", order.id.simple())), "{line}");
    assert_eq!(world.get_order(order.id).await.json, settled.json);
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn a_pack_of_requests_is_charged_order_by_order_and_a_bad_one_leaves_it_alone() {
    let world = World::builder().workers(0).start().await;
    let orders = world.place_orders(3).await;
    let entry = |i: usize| {
        json!({"orderId": orders[i].id.to_string(), "totalPrice": 199,
                                  "currency": "USD", "customerId": "1"})
    };
    let pack = json!([entry(0), {"orderId": "nonsense"}, entry(1), entry(2)]).to_string();
    world.publish_raw("processingorders", pack.as_bytes(), BasicProperties::default()).await;

    let mut world = world;
    world.add_worker().await;

    balance(&world, &orders).await;
    testkit::eventually("the bad one to be dead-lettered", super::ledger::LONG, async || {
        world.queue_depth("processingorders.dead").await == 1
    })
    .await;
    let dead = world.messages_in("processingorders.dead").await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].data, br#"{"orderId":"nonsense"}"#);
}

#[tokio::test]
async fn orders_travel_in_packs_under_load_and_one_that_hangs_delays_no_other() {
    let world = World::builder()
        .env("ORDERS_PER_MESSAGE", "50")
        .worker_env("GATEWAY_TIMEOUT_MS", "500")
        .worker_env("RETRY_DELAYS_MS", "200")
        .start()
        .await;
    let silent = world.place_order_with("pm_card_neverAnswers");
    let (silent, orders) = tokio::join!(silent, world.place_orders(200));
    for order in &orders {
        assert_eq!(world.eventually_settled(order).await.status, "Confirmed");
    }
    assert_eq!(world.get_order(silent.id).await.status, "Pending");
}

#[tokio::test]
async fn a_queue_of_another_shape_gives_a_message_that_says_what_to_do() {
    let world = World::builder().order_management(0).workers(0).start().await;
    let (_connection, channel) = world.channel().await;
    let options = QueueDeclareOptions { durable: true, ..Default::default() };
    let table = FieldTable::default();
    channel.queue_declare("processingorders".into(), options, table).await.unwrap();

    let mut world = world;
    world.add_order_management().await;

    testkit::eventually("the log to say it", super::ledger::LONG, async || {
        let process = world.order_management(0);
        process.log_contains("`processingorders` exists with other properties")
            && process.log_contains("rabbitmqctl delete_queue processingorders")
    })
    .await;
    // The API continues meanwhile; orders wait in the outbox.
    let order = first_order(&world).await;
    assert_eq!(world.get_order(order.id).await.status, "Pending");
    channel.queue_delete("processingorders".into(), Default::default()).await.unwrap();
    world.add_worker().await;
    assert_eq!(world.eventually_settled(&order).await.status, "Confirmed");
}
