//! The log store: lines of all processes in one place, on which no other work depends.

mod faults;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lapin::BasicProperties;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;
use testkit::world::{Order, Reply, World, WorldBuilder, order_body};
use uuid::Uuid;

use super::ledger::{LONG, balance, counter, eventually_counted, eventually_logged, stop_services};

/// The queue, which has the name of the exchange.
const LOGS: &str = "logs";

/// A filter with the driver's lines, which contain the parameters of all statements.
const DEBUG: &str = "debug,tokio_postgres=info";

/// The builder of a world whose services ship their lines.
fn shipping(filter: &str) -> WorldBuilder {
    let world = World::builder().worker_env("GATEWAY_LATENCY_MS", "0");
    world.env("LOG_EXCHANGE", LOGS).env("RUST_LOG", filter)
}

/// Starts such a world with a log collector.
async fn collected(filter: &str) -> World {
    let mut world = shipping(filter).start().await;
    world.add_log_collector(&[]).await;
    world.ready().await;
    world
}

async fn ask(world: &World, query: &str) -> Reply {
    let url = world.log_collector(0).ops_url(&format!("/logs?{query}"));
    world.send(world.http().get(url)).await
}

/// The first page of lines.
async fn lines(world: &World, query: &str) -> Vec<Value> {
    let reply = ask(world, query).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["data"].as_array().unwrap().clone()
}

fn texts(lines: &[Value], field: &str) -> Vec<String> {
    lines.iter().map(|line| line[field].as_str().unwrap().to_owned()).collect()
}

async fn metric(world: &World, ops_url: String, name: &str) -> f64 {
    counter(world, ops_url, &format!("ordermill_{name}")).await
}

/// Stops the services, so that no line is buffered, and waits until every line they sent is stored.
async fn all_stored(world: &World) {
    stop_services(world).await;
    let collector = world.log_collector(0);
    eventually("everything to be stored", LONG, async || {
        if world.queue_depth(LOGS).await > 0 {
            return false;
        }
        // Unacked messages are not part of a queue's depth, and are requeued when their consumer
        // stops.
        collector.sigterm().unwrap();
        collector.wait_exit(LONG).await.unwrap();
        let left = world.queue_depth(LOGS).await;
        collector.start_again().unwrap();
        collector.ready(LONG).await.unwrap();
        left == 0
    })
    .await;
}

/// Checks that each line of each process exists once: its numbers have no gap and no duplicate.
async fn each_line_once(world: &World) -> i64 {
    let instances = "
        select service, count(*), count(distinct sequence), max(sequence)
          from logs.log_entries group by service, instance";
    let mut all = 0;
    for row in world.sql(instances).await {
        let service: String = row.get(0);
        let (rows, numbers, last): (i64, i64, i64) = (row.get(1), row.get(2), row.get(3));
        assert_eq!((rows, numbers), (last + 1, last + 1), "lines of {service}");
        all += rows;
    }
    all
}

#[tokio::test]
async fn lines_of_all_services_are_stored_once_and_in_order() {
    let world = collected(DEBUG).await;
    let order = world.place_order_with("pm_card_errorsTwice").await;
    balance(&world, &[order]).await;
    all_stored(&world).await;

    assert!(each_line_once(&world).await > 10);
    let all = lines(&world, "limit=1000").await;
    let services: BTreeSet<String> = texts(&all, "service").into_iter().collect();
    assert!(services.contains("order-management") && services.contains("payment-processor"));
    assert!(texts(&all, "time").is_sorted());
    let messages = texts(&all, "message");
    for message in ["payment-processor stopped", "order-management stopped"] {
        assert!(messages.iter().any(|m| m == message), "{message} was not shipped");
    }
    // The terminal gets the same lines as text.
    let said = world.worker(0).log();
    for line in all.iter().filter(|line| line["service"] == "payment-processor") {
        assert!(said.contains(line["message"].as_str().unwrap()), "{line} is not in the log");
    }
    let of_worker = lines(&world, "limit=1000&service=payment-processor&level=info").await;
    assert!(of_worker.len() >= 3);
    for line in &of_worker {
        assert_eq!(line["service"], "payment-processor");
        assert!(["INFO", "WARN", "ERROR"].contains(&line["level"].as_str().unwrap()), "{line}");
    }

    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ask(&world, &format!("limit=7{cursor}")).await.json();
        paged.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn a_request_id_finds_all_lines_of_its_order() {
    let world = collected("info").await;
    let placing = world.request(Method::POST, "/orders").json(&order_body("pm_card_errorsTwice"));
    let placed = world.send(placing.header("X-Request-ID", "story-1")).await;
    let order = Order::from_json(placed.json());
    let others = world.place_orders(20).await;
    balance(&world, &[others, vec![order.clone()]].concat()).await;
    all_stored(&world).await;

    let told = lines(&world, "requestId=story-1").await;
    let services: BTreeSet<String> = texts(&told, "service").into_iter().collect();
    assert_eq!(services.len(), 2, "{told:?}");
    assert!(told.len() >= 4, "{told:?}");
    let id = json!(order.id);
    assert!(told.iter().all(|line| line["orderIds"].as_array().unwrap().contains(&id)), "{told:?}");
    assert_eq!(lines(&world, &format!("orderId={}", order.id)).await, told);
    let trace = told[0]["traceIds"][0].as_str().unwrap();
    assert!(!lines(&world, &format!("traceId={trace}")).await.is_empty());
}

/// Two services' lines about one request, in their shape in a message.
fn story(request: &str, orders: [Uuid; 2]) -> [(&'static str, Vec<u8>); 2] {
    let at = |second: u32| format!("{}T00:00:{second:02}.000001Z", day());
    let placed = json!({"time": at(1), "level": "INFO", "target": "order", "message": "placed",
        "service": "order-management", "order_id": orders[0], "request_id": request,
        "trace_id": "0af7651916cd43dd8448eb211c80319c"});
    let other = json!({"time": at(1), "level": "INFO", "target": "order", "message": "placed",
        "service": "order-management", "order_id": orders[1], "request_id": "another"});
    let charged = json!({"time": at(2), "level": "WARN", "target": "order", "message": "charged",
        "service": "payment-processor", "size": 2, "orders": [
            {"order_id": orders[1], "request_id": "another"},
            {"order_id": orders[0], "request_id": request,
             "trace_id": "0af7651916cd43dd8448eb211c80319c"}]});
    let bytes = |lines: &[&Value]| {
        lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes()
    };
    [("order-management", bytes(&[&placed, &other])), ("payment-processor", bytes(&[&charged]))]
}

/// Today, in UTC.
fn day() -> String {
    let now = std::process::Command::new("date").args(["-u", "+%Y-%m-%d"]).output().unwrap();
    String::from_utf8(now.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_request_an_order_and_a_trace_find_their_lines_across_services() {
    let mut world = World::builder().order_management(0).workers(0).start().await;
    world.add_log_collector(&[]).await;
    world.ready().await;
    let orders = [Uuid::now_v7(), Uuid::now_v7()];
    for (_, pack) in story("story-1", orders) {
        world.publish_raw(LOGS, &pack, BasicProperties::default()).await;
    }
    eventually("the lines", LONG, async || lines(&world, "").await.len() == 3).await;

    for query in [
        "requestId=story-1".to_owned(),
        format!("orderId={}", orders[0]),
        "traceId=0af7651916cd43dd8448eb211c80319c".to_owned(),
        format!("requestId=story-1&orderId={}&level=info&since=25h", orders[0]),
        format!("requestId=story-1&since={}T00:00:01Z", day()),
    ] {
        let told = lines(&world, &query).await;
        assert_eq!(texts(&told, "message"), ["placed", "charged"], "{query}");
    }
    let told = lines(&world, "requestId=story-1&level=warn").await;
    assert_eq!(texts(&told, "service"), ["payment-processor"]);
    assert_eq!(told[0]["orderIds"], json!([orders[1], orders[0]]));
    assert_eq!(told[0]["fields"], json!({"size": 2}));
    let nothing = ["requestId=story", "level=error", "service=auditor"];
    for query in nothing {
        assert_eq!(lines(&world, query).await, [Value::Null; 0], "{query}");
    }

    let wrong = ask(&world, "limit=0&orderId=7&since=soon&colour=red").await;
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.header("content-type"), Some("application/problem+json"));
    let errors = wrong.json()["errors"].as_array().unwrap().clone();
    assert_eq!(texts(&errors, "field"), ["limit", "orderId", "since", "colour"]);
}

#[tokio::test]
async fn lines_that_shipping_causes_are_not_shipped() {
    let everything = "trace,lapin=trace,mio=trace,tracing=trace,actix_server=trace";
    let world = collected(everything).await;
    let orders = world.place_orders(10).await;
    balance(&world, &orders).await;
    let sent = || {
        let url = world.worker(0).ops_url("/metrics");
        metric(&world, url, "log_lines_shipped_total{outcome=\"sent\"}")
    };
    eventually("lines to be shipped", LONG, async || sent().await > 10.0).await;
    // lapin's own lines are logged
    eventually_logged(world.worker(0), "DEBUG lapin").await;

    // Otherwise each pack would cause the next one: a thousand per second.
    let mut window = (Instant::now(), sent().await);
    eventually("a quiet second", LONG, async || {
        if window.0.elapsed() < Duration::from_secs(1) {
            return false;
        }
        let (before, now) = (window.1, sent().await);
        window = (Instant::now(), now);
        now - before < 200.0
    })
    .await;
    all_stored(&world).await;
    let itself = "select count(*) from logs.log_entries where target ~ '^(lapin|mio|log_shipping)'";
    assert_eq!(world.count(itself).await, 0);
    each_line_once(&world).await;
}

#[tokio::test]
async fn old_days_are_dropped_and_today_stays() {
    let mut world = World::builder().order_management(0).workers(0).start().await;
    world.add_log_collector(&[("LOG_RETENTION_DAYS", "2")]).await;
    world.ready().await;
    let collector = world.log_collector(0);
    collector.sigkill().await.unwrap();
    let old = "
        create table logs.log_entries_20260101 partition of logs.log_entries
           for values from ('2026-01-01 00:00:00+00') to ('2026-01-02 00:00:00+00')";
    world.sql(old).await;
    for time in ["'2026-01-01 12:00:00+00'", "now()"] {
        let line = format!(
            "insert into logs.log_entries values ({time}, 'a', 1, 's', 'INFO', 't', 'm',
                    '{{}}', '{{}}', '{{}}', '{{}}')"
        );
        world.sql(&line).await;
    }

    collector.start_again().unwrap();
    collector.ready(LONG).await.unwrap();
    eventually("the old day to be dropped", LONG, async || {
        world.count("select count(*) from pg_class where relname = 'log_entries_20260101'").await
            == 0
    })
    .await;
    assert_eq!(lines(&world, "").await.len(), 1);

    // Lines of days that are not kept are refused; the other lines of the pack are stored.
    let line =
        |time: &str, message: &str| format!("{{\"time\":\"{time}\",\"message\":\"{message}\"}}\n");
    let now = format!("{}T00:00:00Z", day());
    let pack = [
        line("2026-01-01T12:00:00Z", "old"),
        line(&now, "now"),
        line("2999-01-01T00:00:00Z", "far"),
    ];
    world.publish_raw(LOGS, pack.concat().as_bytes(), BasicProperties::default()).await;
    let refused = "ordermill_log_entries_total{outcome=\"refused\"}";
    eventually_counted(&world, collector, refused, 2.0).await;
    eventually("the one beside them to be stored", LONG, async || {
        let messages = texts(&lines(&world, "").await, "message");
        if messages.iter().filter(|m| *m == "now").count() == 1 { Ok(()) } else { Err(messages) }
    })
    .await;
}
