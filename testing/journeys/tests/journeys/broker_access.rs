//! The broker as an operator gives it: several addresses, few permissions, policies of others, and
//! publishers that are not to be trusted.

use lapin::BasicProperties;
use lapin::message::BasicGetMessage;
use lapin::types::AMQPValue;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;
use testkit::rabbitmq::{PASSWORD, USER};
use testkit::world::World;

use super::ledger::{LONG, balance, counter, eventually_logged};
use super::operator::{DEAD_REQUESTS, REQUESTS, dead_letter, eventually_deep};

/// A request to the management API of the world's broker.
async fn manage(world: &World, method: Method, path: &str, body: Value) {
    let url = format!("{}/api/{path}", world.isolation().rabbitmq().management_url());
    let request = world.http().request(method, url).basic_auth(USER, Some(PASSWORD)).json(&body);
    let reply = world.send(request).await;
    assert!(reply.status < 300, "{path}: {} {}", reply.status, reply.text);
}

/// Starts both services again with another broker URL.
async fn restart_with_broker(world: &mut World, url: &str) {
    for process in world.processes() {
        process.sigkill().await.unwrap();
    }
    world.set_env("AMQP_SERVER_URL", url);
    world.add_order_management().await;
    world.add_worker().await;
    world.ready().await;
}

#[tokio::test]
async fn of_several_brokers_one_that_answers_is_enough() {
    let mut world = World::start().await;
    let real = world.broker_url(USER, PASSWORD);
    let away = format!("amqp://{USER}:hunter2@127.0.0.1:1/{}", world.name());
    let other = format!("amqp://{USER}:hunter3@localhost:2/{}", world.name());

    restart_with_broker(&mut world, &format!("{away}, {real},{other}")).await;

    let order = world.place_order().await;
    balance(&world, &[order]).await;
    for process in world.processes() {
        assert!(!process.log_contains("hunter"), "{}", process.log_tail());
    }
}

#[tokio::test]
async fn every_address_of_a_name_is_tried() {
    let mut world = World::start().await;
    let url = world.broker_url(USER, PASSWORD).replace("127.0.0.1", "localhost");

    restart_with_broker(&mut world, &url).await;

    let order = world.place_order().await;
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn the_least_permissions_are_enough_once_all_is_declared() {
    let mut world = World::builder().env("RETRY_DELAYS_MS", "100").start().await;
    let user = format!("least-{}", world.name());
    let account = json!({"password": "hunter2", "tags": ""});
    manage(&world, Method::PUT, &format!("users/{user}"), account).await;
    // Those of both services in docs/messages.md.
    let read =
        "^(processingorders|processedorders|processingorders\\.dead|processedorders\\.dead)$";
    let least =
        json!({"configure": "^$", "write": "^(orders_exchange|amq\\.default)$", "read": read});
    manage(&world, Method::PUT, &format!("permissions/{}/{user}", world.name()), least).await;

    let url = world.broker_url(&user, "hunter2");
    restart_with_broker(&mut world, &url).await;

    let mut orders = world.place_orders(5).await;
    orders.push(world.place_order_with("pm_card_errorsTwice").await);
    balance(&world, &orders).await;
    world.publish_raw(REQUESTS, b"nonsense", BasicProperties::default()).await;
    eventually_deep(&world, DEAD_REQUESTS, 1).await;
    manage(&world, Method::DELETE, &format!("users/{user}"), json!(null)).await;
}

#[tokio::test]
async fn a_user_that_may_not_declare_what_is_missing_is_told_so() {
    let world = World::builder().order_management(0).workers(0).start().await;
    let user = format!("none-{}", world.name());
    let account = json!({"password": "hunter2", "tags": ""});
    manage(&world, Method::PUT, &format!("users/{user}"), account).await;
    let least = json!({"configure": "^$", "write": ".*", "read": ".*"});
    manage(&world, Method::PUT, &format!("permissions/{}/{user}", world.name()), least).await;
    let mut world = world;
    let url = world.broker_url(&user, "hunter2");
    world.set_env("AMQP_SERVER_URL", &url);

    world.add_worker().await;

    let line = eventually_logged(world.worker(0), "may not declare it").await;
    assert!(line.contains("orders_exchange"), "{line}");
    manage(&world, Method::DELETE, &format!("users/{user}"), json!(null)).await;
}

async fn eventually_shown(world: &World, metric: &str, wanted: f64) {
    eventually(&format!("{metric} to be {wanted}"), LONG, async || {
        let url = world.order_management(0).ops_url("/metrics");
        let seen = counter(world, url, metric).await;
        if seen == wanted { Ok(()) } else { Err(seen) }
    })
    .await;
}

#[tokio::test]
async fn a_policy_that_touches_our_queues_is_reported_and_one_with_a_higher_priority_cures_it() {
    let world = World::builder().workers(0).start().await;
    let blanket = json!({"pattern": ".*", "definition": {"max-length": 1_000_000},
                         "priority": 0, "apply-to": "queues"});
    let policy = |name: &str| format!("policies/{}/{name}", world.name());
    manage(&world, Method::PUT, &policy("blanket"), blanket).await;
    let shown = format!("ordermill_queue_policy_overrides{{queue=\"{DEAD_REQUESTS}\"}}");

    eventually_shown(&world, &shown, 1.0).await;

    let line = eventually_logged(world.order_management(0), "a policy of the broker").await;
    assert!(line.contains("blanket") || line.contains("max-length=1000000"), "{line}");
    let own = json!({"pattern": "^(processingorders|processedorders)(\\.|$)", "priority": 1000,
                     "definition": {"queue-leader-locator": "balanced"}, "apply-to": "queues"});
    manage(&world, Method::PUT, &policy("ordermill"), own).await;
    eventually_shown(&world, &shown, 0.0).await;
}

#[tokio::test]
async fn dead_letters_that_vanish_without_an_action_are_counted() {
    let world = World::builder().workers(0).start().await;
    let bodies = ["a", "b", "c"].map(str::to_owned);
    dead_letter(&world, DEAD_REQUESTS, "unreadable", &bodies).await;
    let seen = format!("ordermill_dead_letters{{queue=\"{DEAD_REQUESTS}\"}}");
    eventually_shown(&world, &seen, 3.0).await;

    world.purge(DEAD_REQUESTS).await;

    let vanished = format!("ordermill_dead_letters_vanished_total{{queue=\"{DEAD_REQUESTS}\"}}");
    eventually_shown(&world, &vanished, 3.0).await;
    eventually_logged(world.order_management(0), "left their queue without an action").await;
}

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn reason(message: &BasicGetMessage) -> String {
    let headers = message.properties.headers().clone().unwrap_or_default();
    match headers.inner().get("x-reason") {
        Some(AMQPValue::LongString(reason)) => reason.to_string(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_without_a_fitting_signature_charges_nothing() {
    let world = World::builder().env("REQUEST_SIGNING_KEY", KEY).start().await;
    let mut orders = world.place_orders(20).await;
    orders.push(world.place_order_with("pm_card_errorsTwice").await);
    balance(&world, &orders).await;
    let waiting = World::builder().workers(0).env("REQUEST_SIGNING_KEY", KEY).start().await;
    let dear = waiting.place_order().await;
    eventually_deep(&waiting, REQUESTS, 1).await;
    let signed = waiting.messages_in(REQUESTS).await.remove(0).delivery.data;
    let signed = String::from_utf8(signed).unwrap();
    assert!(signed.contains("\"signature\":\""), "{signed}");
    let forged = [
        signed.replace("\"totalPrice\":199", "\"totalPrice\":0.01"),
        signed.replace("\"signature\"", "\"other\""),
        format!("[{signed},{}]", signed.replace(":199,", ":1,")),
    ];

    for body in &forged {
        world.publish_raw(REQUESTS, body.as_bytes(), BasicProperties::default()).await;
    }

    // Of the batch message only the second object does not fit.
    eventually_deep(&world, DEAD_REQUESTS, 3).await;
    let dead = world.messages_in(DEAD_REQUESTS).await;
    let reasons: Vec<String> = dead.iter().map(reason).collect();
    assert_eq!(reasons, ["signature_invalid"; 3]);
    eventually("the good object to be charged", LONG, async || {
        world.captures_for(&dear).await == 1
    })
    .await;
    let amount = "select min(amount_minor)::bigint from simulated_gateway.captures";
    assert_eq!(world.count(amount).await, 19900);
}
