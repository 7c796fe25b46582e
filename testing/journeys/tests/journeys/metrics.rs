//! The numbers at `/metrics` follow the events.

use std::time::{Duration, Instant};

use lapin::BasicProperties;
use reqwest::Method;
use serde_json::json;
use testkit::eventually;
use testkit::world::World;
use uuid::Uuid;

use super::ledger::{LONG, counted, sum_of};

async fn scrape(world: &World, ops_url: String) -> String {
    let answer = world.send(world.http().get(ops_url)).await;
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    answer.text
}

async fn shop(world: &World) -> String {
    scrape(world, world.order_management(0).ops_url("/metrics")).await
}

async fn worker(world: &World) -> String {
    scrape(world, world.worker(0).ops_url("/metrics")).await
}

/// The values that differ from the wanted ones.
fn differences(text: &str, wanted: &[(&str, f64)]) -> Vec<String> {
    let seen = wanted.iter().map(|(name, wanted)| (name, wanted, sum_of(text, name)));
    let wrong = seen.filter(|(_, wanted, seen)| (*wanted - seen).abs() > f64::EPSILON);
    wrong.map(|(name, wanted, seen)| format!("{name}: {seen} and not {wanted}")).collect()
}

/// Waits until all values are as wanted, then checks once more that none exceeds its value.
async fn eventually_exactly(text: impl AsyncFn() -> String, wanted: &[(&str, f64)]) {
    let agree = async || {
        let differences = differences(&text().await, wanted);
        if differences.is_empty() { Ok(()) } else { Err(differences) }
    };
    eventually("the numbers to be as wanted", LONG, &agree).await;
    assert_eq!(agree().await, Ok(()));
}

/// The metrics after five orders: three paid, one declined, one with a verdict at the third call.
const OF_THE_SHOP: &[(&str, f64)] = &[
    (
        "http_server_request_duration_seconds_count{http_request_method=\"POST\",\
         http_route=\"/orders\",http_response_status_code=\"201\"}",
        5.0,
    ),
    ("http_server_active_requests", 0.0),
    ("ordermill_stage_items_total{stage=\"place\"}", 5.0),
    ("ordermill_stage_batch_size_sum{stage=\"place\"}", 5.0),
    ("ordermill_placements_total{outcome=\"placed\"}", 5.0),
    ("ordermill_placements_total", 5.0),
    ("ordermill_stage_items_total{stage=\"relay\"}", 5.0),
    ("ordermill_stage_items_total{stage=\"settle\"}", 5.0),
    ("ordermill_stage_waiting", 0.0),
    ("ordermill_results_total{outcome=\"moved\"}", 5.0),
    ("ordermill_results_total", 5.0),
    ("ordermill_order_duration_seconds_count{status=\"Confirmed\"}", 4.0),
    ("ordermill_order_duration_seconds_count{status=\"Canceled\"}", 1.0),
    (
        "messaging_client_sent_messages_total{messaging_destination_name=\"processingorders\",\
         messaging_system=\"rabbitmq\",error_type=\"\"}",
        5.0,
    ),
    ("messaging_client_sent_messages_total", 5.0),
    ("messaging_client_consumed_messages_total", 5.0),
    (
        "messaging_process_duration_seconds_count\
         {messaging_destination_name=\"processedorders\"}",
        5.0,
    ),
    ("ordermill_messages_unacked{queue=\"processedorders\"}", 0.0),
    ("ordermill_broker_connects_total{role=\"publish\"}", 1.0),
    ("ordermill_broker_connects_total{role=\"consume\"}", 1.0),
    ("ordermill_broker_connection_up", 2.0),
    ("ordermill_broker_blocked", 0.0),
    ("ordermill_outbox_orders", 0.0),
    ("ordermill_outbox_oldest_age_seconds", 0.0),
    ("ordermill_ready", 1.0),
    ("ordermill_component_ready{component=\"database\"}", 1.0),
    ("ordermill_build_info{process=\"order-management\"}", 1.0),
    ("db_client_connection_max{db_client_connection_pool_name=\"shop\"}", 16.0),
    ("db_client_connection_max{db_client_connection_pool_name=\"payments\"}", 2.0),
    ("db_client_connection_pending_requests", 0.0),
];

const OF_THE_WORKER: &[(&str, f64)] = &[
    ("ordermill_gateway_calls_total{operation=\"charge\",outcome=\"captured\"}", 4.0),
    ("ordermill_gateway_calls_total{operation=\"charge\",outcome=\"declined\"}", 1.0),
    ("ordermill_gateway_calls_total{operation=\"charge\",outcome=\"unknown\"}", 2.0),
    ("ordermill_gateway_calls_total{operation=\"look_up\",outcome=\"not_found\"}", 2.0),
    ("ordermill_gateway_calls_total", 9.0),
    ("ordermill_gateway_call_duration_seconds_count{operation=\"charge\"}", 7.0),
    ("ordermill_gateway_call_duration_seconds_count{operation=\"look_up\"}", 2.0),
    ("ordermill_charges_total{outcome=\"captured\"}", 4.0),
    ("ordermill_charges_total{outcome=\"declined\"}", 1.0),
    ("ordermill_charges_total{outcome=\"unknown\"}", 2.0),
    ("ordermill_retries_total{queue=\"processingorders\"}", 2.0),
    ("ordermill_dead_lettered_total{queue=\"processingorders\",reason=\"unreadable\"}", 1.0),
    ("ordermill_dead_lettered_total", 1.0),
    ("messaging_client_sent_messages_total{messaging_destination_name=\"processedorders\"}", 5.0),
    (
        "messaging_client_sent_messages_total\
         {messaging_destination_name=\"processingorders.retry.100\",error_type=\"\"}",
        1.0,
    ),
    (
        "messaging_client_sent_messages_total\
         {messaging_destination_name=\"processingorders.dead\",error_type=\"\"}",
        1.0,
    ),
    ("messaging_client_sent_messages_total{messaging_destination_name=\"_OTHER\"}", 0.0),
    ("messaging_client_consumed_messages_total", 8.0),
    ("ordermill_messages_unacked", 0.0),
    ("ordermill_orders_in_flight", 0.0),
    ("ordermill_orders_in_flight_max", 40.0),
    ("ordermill_stage_items_total{stage=\"charge_start\"}", 7.0),
    ("ordermill_stage_items_total{stage=\"gateway_capture\"}", 4.0),
    ("ordermill_stage_items_total{stage=\"charge_finish\"}", 5.0),
    ("ordermill_stage_items_total{stage=\"reply\"}", 5.0),
    ("ordermill_ready", 1.0),
    ("ordermill_build_info{process=\"payment-processor\"}", 1.0),
];

#[tokio::test]
async fn the_metrics_count_every_event_once() {
    let world = World::builder()
        .worker_env("GATEWAY_LATENCY_MS", "0")
        .worker_env("RETRY_DELAYS_MS", "100,200")
        .worker_env("PREFETCH", "40")
        .start()
        .await;
    world.publish_raw("processingorders", b"nonsense", BasicProperties::default()).await;
    for method in ["visa", "chargeDeclined", "visa", "errorsTwice", "visa"] {
        // One after the other, so that each is a message of its own.
        let order = world.place_order_with(&format!("pm_card_{method}")).await;
        world.eventually_settled(&order).await;
    }

    eventually_exactly(async || shop(&world).await, OF_THE_SHOP).await;
    eventually_exactly(async || worker(&world).await, OF_THE_WORKER).await;
    let text = shop(&world).await;
    let took = sum_of(&text, "ordermill_order_duration_seconds_sum");
    let slow =
        sum_of(&text, "ordermill_order_duration_seconds_bucket{status=\"Confirmed\",le=\"0.25\"}");
    assert!(took > 0.3 && slow < 4.0, "one waited 0.1 s and 0.2 s: {took}, {slow}");
}

#[tokio::test]
async fn only_an_order_that_is_committed_counts_as_placed() {
    let world = World::builder().proxied().start().await;
    let place = async |quantity: u32, product: &str| {
        let body = json!({"productId": product, "quantity": quantity});
        let request = world.request(Method::POST, "/orders").header("Idempotency-Key", "cart-42");
        world.send(request.json(&body)).await.status
    };
    let answers = [place(1, "1").await, place(1, "1").await, place(2, "1").await];
    assert_eq!(answers, [201, 201, 422]);
    assert_eq!(world.place(json!({"productId": "4711", "quantity": 1})).await.status, 422);
    world.links().order_management.database.cut();
    assert_eq!(place(3, "1").await, 503);

    let wanted = [
        ("ordermill_placements_total{outcome=\"placed\"}", 1.0),
        ("ordermill_placements_total{outcome=\"repeated\"}", 1.0),
        ("ordermill_placements_total{outcome=\"refused\"}", 2.0),
        ("ordermill_stage_items_total{stage=\"place\"}", 5.0),
    ];
    eventually_exactly(async || shop(&world).await, &wanted).await;
}

#[tokio::test]
async fn an_order_in_work_and_an_outage_of_the_broker_are_seen_while_they_last() {
    let world = World::builder()
        .proxied()
        .worker_env("GATEWAY_TIMEOUT_MS", "600000")
        .worker_env("GATEWAY_LATENCY_MS", "0")
        .start()
        .await;
    let silent = world.place_order_with("pm_card_neverAnswers").await;
    let in_work = [
        ("ordermill_orders_in_flight", 1.0),
        ("ordermill_messages_unacked{queue=\"processingorders\"}", 1.0),
    ];
    eventually_exactly(async || worker(&world).await, &in_work).await;

    world.links().order_management.broker.cut();
    let away = [
        ("ordermill_broker_connection_up", 0.0),
        ("ordermill_ready", 1.0),
        ("ordermill_component_ready{component=\"publisher\"}", 0.0),
        ("ordermill_component_ready{component=\"consumer\"}", 0.0),
        ("ordermill_component_ready{component=\"database\"}", 1.0),
    ];
    eventually_exactly(async || shop(&world).await, &away).await;
    let orders = world.place_orders(3).await;
    eventually("the outbox to be seen", LONG, async || {
        let text = shop(&world).await;
        let waiting = sum_of(&text, "ordermill_outbox_orders");
        let oldest = sum_of(&text, "ordermill_outbox_oldest_age_seconds");
        if waiting > 2.5 && oldest > 1.0 { Ok(()) } else { Err((waiting, oldest)) }
    })
    .await;

    world.links().order_management.broker.heal();
    for order in &orders {
        assert_eq!(world.settled_within(LONG, order).await.status, "Confirmed");
    }
    let back = [
        ("ordermill_broker_connection_up", 2.0),
        ("ordermill_broker_connects_total{role=\"publish\"}", 2.0),
        ("ordermill_broker_connects_total{role=\"consume\"}", 2.0),
        ("ordermill_outbox_orders", 0.0),
        ("ordermill_outbox_swept_total", 3.0),
    ];
    eventually_exactly(async || shop(&world).await, &back).await;
    assert_eq!(world.get_order(silent.id).await.status, "Pending");
}

#[tokio::test]
async fn a_scrape_does_not_wait_for_a_silent_server() {
    let world = World::builder().proxied().start().await;
    world.place_order().await;
    counted(&world, "ordermill_stage_items_total{stage=\"place\"}", 1.0).await;
    world.links().order_management.database.black_hole();
    let asked = Instant::now();

    let text = shop(&world).await;

    assert!(asked.elapsed() < Duration::from_secs(4), "it took {:?}", asked.elapsed());
    let dark =
        [("ordermill_component_ready{component=\"database\"}", 0.0), ("ordermill_ready", 0.0)];
    assert_eq!(differences(&text, &dark), Vec::<String>::new());
    assert!(sum_of(&text, "ordermill_stage_items_total{stage=\"place\"}") > 0.0);
}

/// Requests unknown paths and methods.
async fn nonsense(world: &World, round: usize) {
    for i in 0..200 {
        let id = Uuid::now_v7();
        let path = match i % 5 {
            0 => format!("/{id}"),
            1 => format!("/orders/{id}"),
            2 => format!("/products/{}", 1_000_000 + round * 1000 + i),
            3 => format!("/orders?customerId={i}&limit=1"),
            _ => format!("/customers/{id}/{i}"),
        };
        let method = if i % 2 == 0 { "GET".to_owned() } else { format!("M{round}X{i}") };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        world.send(world.request(method, &path)).await;
    }
}

#[tokio::test]
async fn made_up_paths_and_methods_of_clients_create_no_series() {
    let world = World::start().await;
    let made_up = "http_server_request_duration_seconds_count{http_request_method=\"_OTHER\"}";
    // A request is counted a moment after its answer.
    let all_counted = async |wanted: f64| {
        eventually("all requests to be counted", LONG, async || {
            let text = shop(&world).await;
            let seen = sum_of(&text, made_up);
            if (seen - wanted).abs() < f64::EPSILON { Ok(text) } else { Err(seen) }
        })
        .await
    };
    nonsense(&world, 0).await;
    let first = all_counted(100.0).await;
    nonsense(&world, 1).await;
    let second = all_counted(200.0).await;

    let series = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(series(&first), series(&second), "what is new makes no new series");
    let label_sets = second
        .lines()
        .filter(|line| line.starts_with("http_server_request_duration_seconds_count{"))
        .collect::<Vec<_>>();
    assert!(label_sets.len() < 20, "{label_sets:#?}");
    assert!(series(&second) < 700, "{} series", series(&second));
    for never in ["M1X", "0199", "customerId"] {
        assert!(!second.contains(never), "{never}");
    }
    let unmatched = "http_server_request_duration_seconds_count{http_route=\"unmatched\"}";
    assert!(sum_of(&second, unmatched) > 100.0);
}
