//! The timeline of an order.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::fault_proxy::FaultProxy;
use testkit::world::{Order, World, WorldBuilder};
use testkit::{eventually, ports};
use uuid::Uuid;

use super::ledger::{LONG, balance};
use super::operator::{DEAD_REQUESTS, REQUESTS, dead_letter, eventually_listed, tell};

/// The events of an order without a fault.
const STRAIGHT: [&str; 6] =
    ["placed", "published", "payment_started", "captured", "replied", "settled"];
/// The tables with records of failures only.
const ASIDE: &str = "select count(*) from payments.unanswered_calls";

fn quick() -> WorldBuilder {
    World::builder()
        .worker_env("INSTANCE_NAME", "anna")
        .worker_env("GATEWAY_LATENCY_MS", "0")
        .worker_env("RETRY_DELAYS_MS", "100,200,400")
}

async fn timeline(world: &World, id: Uuid) -> Value {
    let reply = world.get(&format!("/orders/{id}/timeline")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json()["orderId"], json!(id.to_string()));
    reply.json()
}

fn events(timeline: &Value) -> &[Value] {
    timeline["events"].as_array().unwrap()
}

fn words(timeline: &Value) -> Vec<&str> {
    events(timeline).iter().map(|event| event["event"].as_str().unwrap()).collect()
}

fn event<'a>(timeline: &'a Value, word: &str) -> &'a Value {
    events(timeline).iter().find(|event| event["event"] == word).unwrap()
}

/// Checks that the times ascend, because both databases have one clock, and returns their number.
fn in_order(timeline: &Value) -> usize {
    let times: Vec<(&str, String)> = events(timeline)
        .iter()
        .filter_map(|event| event["at"].as_str())
        .map(|at| at.trim_end_matches('Z').split_once('.').unwrap_or((at, "")))
        .map(|(seconds, fraction)| (seconds, format!("{fraction:0<9}")))
        .collect();
    assert!(times.is_sorted(), "{timeline}");
    times.len()
}

async fn eventually_told(world: &World, order: &Order, pointer: &str, value: Value) -> Value {
    eventually(&format!("{pointer} to be {value}"), LONG, async || {
        let told = timeline(world, order.id).await;
        if told.pointer(pointer) == Some(&value) { Ok(told) } else { Err(told) }
    })
    .await
}

#[tokio::test]
async fn the_timeline_of_an_order_without_a_fault_comes_from_its_rows_alone() {
    let world = quick().start().await;
    let orders = world.place_orders(30).await;
    balance(&world, &orders).await;

    let told = timeline(&world, orders[0].id).await;

    assert_eq!(words(&told), STRAIGHT, "{told}");
    assert_eq!(in_order(&told), 4, "published and replied have no time");
    assert_eq!((&told["status"], &told["missing"]), (&json!("Confirmed"), &json!([])));
    assert_eq!(told.get("waitsFor"), None);
    assert_eq!(event(&told, "placed")["at"], orders[0].json["createdAt"]);
    assert_eq!(
        (&event(&told, "payment_started")["worker"], &event(&told, "payment_started")["attempt"]),
        (&json!("anna"), &json!(1))
    );
    assert_eq!(
        (&event(&told, "captured")["worker"], &event(&told, "captured")["attempt"]),
        (&json!("anna"), &json!(1))
    );
    assert_eq!(event(&told, "settled")["status"], "Confirmed");
    let stages: Vec<_> = events(&told).iter().map(|event| &event["stage"]).collect();
    assert_eq!(stages, ["place", "relay", "charge", "charge", "reply", "settle"]);
    assert_eq!(world.count(ASIDE).await, 0, "a row more on the fast path");
    assert_eq!(world.count("select count(*) from payments.payments").await, 30);
}

#[tokio::test]
async fn the_timeline_of_a_declined_order_has_the_gateways_reason() {
    let world = quick().start().await;
    let order = world.place_order_with("pm_card_chargeDeclined").await;
    world.eventually_settled(&order).await;

    let told = timeline(&world, order.id).await;

    assert_eq!(
        words(&told),
        ["placed", "published", "payment_started", "declined", "replied", "settled"]
    );
    assert_eq!(event(&told, "declined")["reason"], "card_declined");
    let settled = event(&told, "settled");
    assert_eq!(
        (&settled["status"], &settled["reason"]),
        (&json!("Canceled"), &json!("card_declined"))
    );
}

#[tokio::test]
async fn the_timeline_lists_every_unanswered_call_and_counts_every_delivery() {
    let world = quick().start().await;
    let order = world.place_order_with("pm_card_errorsTwice").await;
    world.eventually_settled(&order).await;

    let told = eventually_told(&world, &order, "/events/3/event", json!("unanswered")).await;

    assert_eq!(
        words(&told),
        [
            "placed",
            "published",
            "payment_started",
            "unanswered",
            "unanswered",
            "payment_resumed",
            "captured",
            "replied",
            "settled"
        ]
    );
    assert_eq!(in_order(&told), 7);
    let attempts: Vec<_> = events(&told)[2..7].iter().map(|event| &event["attempt"]).collect();
    assert_eq!(attempts, [1, 1, 2, 3, 3]);
    let call = event(&told, "unanswered");
    assert_eq!((&call["operation"], &call["worker"]), (&json!("charge"), &json!("anna")));
    assert_eq!(call["reason"], "the gateway answered with an error");
}

#[tokio::test]
async fn the_worker_that_died_and_the_one_that_ended_it_are_both_named() {
    let mut world = World::builder()
        .worker_env("INSTANCE_NAME", "anna")
        .worker_env("GATEWAY_LATENCY_MS", "600000")
        .worker_env("GATEWAY_TIMEOUT_MS", "600000")
        .start()
        .await;
    let order = world.place_order().await;
    let told = eventually_told(&world, &order, "/waitsFor", json!("unknown_charge")).await;
    assert_eq!(words(&told), ["placed", "published", "payment_started"]);

    world.worker(0).sigkill().await.unwrap();
    world.set_worker_env("GATEWAY_LATENCY_MS", "0");
    world.set_worker_env("INSTANCE_NAME", "bob");
    world.add_worker().await;
    world.eventually_settled(&order).await;

    let told = timeline(&world, order.id).await;
    assert_eq!(
        words(&told),
        [
            "placed",
            "published",
            "payment_started",
            "payment_resumed",
            "captured",
            "replied",
            "settled"
        ]
    );
    let who: Vec<_> = events(&told)[2..5].iter().map(|e| (&e["worker"], &e["attempt"])).collect();
    let (anna, bob, one, two) = (json!("anna"), json!("bob"), json!(1), json!(2));
    assert_eq!(who, [(&anna, &one), (&bob, &two), (&bob, &two)]);
}

#[tokio::test]
async fn without_a_broker_the_timeline_waits_for_the_outbox_and_later_for_a_worker() {
    let world = quick().proxied().start().await;
    // The worker has created its tables.
    world.worker(0).sigkill().await.unwrap();
    world.links().order_management.broker.cut();
    let order = world.place_order().await;

    let told = timeline(&world, order.id).await;

    assert_eq!((words(&told), &told["waitsFor"]), (vec!["placed", "queued"], &json!("in_outbox")));
    assert_eq!(event(&told, "queued")["at"], order.json["createdAt"]);
    world.links().order_management.broker.heal();
    let told = eventually_told(&world, &order, "/waitsFor", json!("not_begun")).await;
    assert_eq!(words(&told), ["placed", "published"]);
}

#[tokio::test]
async fn the_timeline_of_a_request_that_was_dead_lettered_and_replayed_says_so() {
    let mut world = quick().workers(0).start().await;
    let order = world.place_order().await;
    eventually("the request to be in the queue", LONG, async || {
        world.queue_depth(REQUESTS).await == 1
    })
    .await;
    let request = world.messages_in(REQUESTS).await.remove(0);
    world.purge(REQUESTS).await;
    let body = String::from_utf8(request.delivery.data).unwrap();
    dead_letter(&world, DEAD_REQUESTS, "reader_panicked", &[body]).await;
    let letter = eventually_listed(&world, &format!("orderId={}", order.id), 1).await.remove(0);
    // The broker has it a moment before the outbox is rid of it.
    eventually("the order to be told as published", LONG, async || {
        let told = timeline(&world, order.id).await;
        if words(&told) == ["placed", "published"] { Ok(()) } else { Err(told) }
    })
    .await;

    let path = format!("/dead-letters/{}/replay", letter["id"].as_str().unwrap());
    assert_eq!(tell(&world, 0, &path, json!({"by": "carl"})).await.status, 200);
    world.add_worker().await;
    world.eventually_settled(&order).await;

    let told = timeline(&world, order.id).await;
    let mut told_words = words(&told);
    // The test dead-lettered the message with an old date.
    assert_eq!(told_words.remove(0), "parked");
    assert_eq!(
        told_words,
        ["placed", "published", "replayed", "payment_started", "captured", "replied", "settled"]
    );
    let dead = event(&told, "parked");
    assert_eq!(
        (&dead["queue"], &dead["reason"]),
        (&json!(DEAD_REQUESTS), &json!("reader_panicked"))
    );
    let replayed = event(&told, "replayed");
    assert_eq!((&replayed["by"], &replayed["outcome"]), (&json!("carl"), &json!("done")));
}

#[tokio::test]
async fn the_timeline_of_an_overdue_order_counts_its_re_requests() {
    let world = World::builder()
        .workers(0)
        .order_management_env("RECONCILE_AFTER_MS", "1500")
        .start()
        .await;
    let order = world.place_order().await;
    eventually("the request to be in the queue", LONG, async || {
        world.queue_depth(REQUESTS).await == 1
    })
    .await;
    world.purge(REQUESTS).await;

    let told =
        eventually_told(&world, &order, "/events/2/event", json!("payment_rerequested")).await;

    assert_eq!(event(&told, "payment_rerequested")["stage"], "reconcile");
    assert!(event(&told, "payment_rerequested")["times"].as_i64().unwrap() >= 1, "{told}");
    assert_eq!(words(&told), ["placed", "published", "payment_rerequested"]);
}

#[tokio::test]
async fn without_the_payments_database_the_timeline_has_the_shops_part_and_names_the_missing_one() {
    let away = ports::free().unwrap().to_string();
    let world = quick().order_management_env("PAYMENTS_POSTGRES_PORT", &away).start().await;
    let order = world.place_order().await;
    balance(&world, std::slice::from_ref(&order)).await;

    let told = timeline(&world, order.id).await;

    assert_eq!(told["missing"], json!(["payments"]));
    assert_eq!(words(&told), ["placed", "published", "replied", "settled"]);
    let silent = world.place_order_with("pm_card_neverAnswers").await;
    eventually("the order to be published", LONG, async || {
        world.count("select count(*) from outbox").await == 0
    })
    .await;
    let told = timeline(&world, silent.id).await;
    assert_eq!(told.get("waitsFor"), None, "the payments database is needed for `waitsFor`");
}

#[tokio::test]
async fn a_silent_payments_database_delays_a_timeline_by_three_seconds_at_most() {
    let mut world = quick().order_management(0).start().await;
    let port = world.worker(0).variable("POSTGRES_PORT").unwrap().parse().unwrap();
    let proxy = FaultProxy::start(port).unwrap();
    world.set_env("PAYMENTS_POSTGRES_PORT", &proxy.port().to_string());
    world.add_order_management().await;
    world.ready().await;
    let order = world.place_order().await;
    world.eventually_settled(&order).await;
    assert_eq!(words(&timeline(&world, order.id).await), STRAIGHT);

    proxy.black_hole();
    // Two requests have the connections, the others wait for them.
    for _ in 0..2 {
        let asked = Instant::now();
        let told = join_all((0..10).map(|_| timeline(&world, order.id))).await;
        assert!(told.iter().all(|told| told["missing"] == json!(["payments"])), "{told:?}");
        let waited = asked.elapsed();
        assert!(waited < Duration::from_millis(4500), "{waited:?}");
    }
    proxy.heal();
    eventually("the payment to be told again", LONG, async || {
        words(&timeline(&world, order.id).await) == STRAIGHT
    })
    .await;
}

#[tokio::test]
async fn an_unknown_order_has_no_timeline() {
    let world = World::builder().workers(0).start().await;
    for id in [Uuid::now_v7().to_string(), "garbage".to_owned(), "%00".to_owned()] {
        let reply = world.get(&format!("/orders/{id}/timeline")).await;
        assert_eq!((reply.status, &reply.json()["status"]), (404, &json!(404)), "{}", reply.text);
        let order = world.get(&format!("/orders/{id}")).await;
        assert_eq!(reply.json()["detail"], order.json()["detail"]);
    }
    let id = Uuid::now_v7();
    let path = format!("/orders/{id}/timeline");
    let reply = world.send(world.request(Method::POST, &path)).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")));
}
