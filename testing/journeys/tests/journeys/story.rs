//! One `grep` for a request's id in the logs of all processes finds every line about its order.

use std::collections::BTreeSet;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::Value;
use testkit::eventually;
use testkit::world::{Order, World, WorldBuilder, order_body};

use super::ledger::{LONG, balance, counter, eventually_logged, whole_lines};

fn telling() -> WorldBuilder {
    World::builder().env("LOG_FORMAT", "json")
}

/// A log line about one order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StoryLine {
    service: String,
    message: String,
    outcome: String,
    order_id: String,
    trace_id: String,
}

impl StoryLine {
    fn words(&self) -> (&str, &str, &str) {
        (&self.service, &self.message, &self.outcome)
    }
}

/// The lines of all processes with a request's id, by time, each reduced to the request's order.
fn story(world: &World, request_id: &str) -> Vec<StoryLine> {
    let mut lines = Vec::new();
    for process in world.processes() {
        let log = process.log();
        for line in whole_lines(&log).filter(|line| line.contains(request_id)) {
            let line: Value = serde_json::from_str(line).unwrap();
            let time = line["time"].as_str().unwrap().to_owned();
            lines.push((time, told(&line, request_id)));
        }
    }
    lines.sort_by(|(one, _), (other, _)| one.cmp(other));
    lines.into_iter().map(|(_, told)| told).collect()
}

fn told(line: &Value, request_id: &str) -> StoryLine {
    let one = std::slice::from_ref(line);
    let orders = line["orders"].as_array().map_or(one, Vec::as_slice);
    let about: Vec<_> = orders.iter().filter(|o| o["request_id"] == request_id).collect();
    assert_eq!(about.len(), 1, "{request_id} in {line}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    StoryLine {
        service: text(&line["service"]),
        message: text(&line["message"]),
        outcome: text(&line["outcome"]),
        order_id: text(&about[0]["order_id"]),
        trace_id: text(&about[0]["trace_id"]),
    }
}

/// Waits until there are this many lines, and returns them.
async fn whole_story(world: &World, request_id: &str, length: usize) -> Vec<StoryLine> {
    eventually(&format!("the story of {request_id}"), LONG, async || {
        let story = story(world, request_id);
        if story.len() >= length { Ok(story) } else { Err(story) }
    })
    .await
}

async fn place(world: &World, request_id: &str, method: &str) -> Order {
    let request = world.request(Method::POST, "/orders").header("X-Request-ID", request_id);
    Order::from_json(world.send(request.json(&order_body(method))).await.json())
}

const PIPELINE: [(&str, &str, &str); 5] = [
    ("order-management", "order placed", "placed"),
    ("order-management", "payment requested", "confirmed"),
    ("payment-processor", "payment finished", "captured"),
    ("payment-processor", "result published", "confirmed"),
    ("order-management", "order settled", "Confirmed"),
];

/// The lines of an order whose charge the gateway declines.
fn declined() -> [(&'static str, &'static str, &'static str); PIPELINE.len()] {
    PIPELINE.map(|(service, message, outcome)| match message {
        "payment finished" => (service, message, "declined"),
        "order settled" => (service, message, "Canceled"),
        _ => (service, message, outcome),
    })
}

fn sorted(story: &[StoryLine]) -> Vec<(&str, &str, &str)> {
    let mut words: Vec<_> = story.iter().map(StoryLine::words).collect();
    // Two processes write concurrently, so only the lines of one process are ordered.
    words.sort_by_key(|words| PIPELINE.iter().position(|known| known == words));
    words
}

#[tokio::test]
async fn a_request_id_finds_all_lines_of_its_order() {
    let world = telling().start().await;
    let order = place(&world, "story-1", "pm_card_visa").await;
    world.eventually_settled(&order).await;

    let story = whole_story(&world, "story-1", PIPELINE.len()).await;

    assert_eq!(sorted(&story), PIPELINE);
    let trace_id = order.id.simple().to_string();
    for told in &story {
        assert_eq!(told.order_id, order.id.to_string());
        assert_eq!(told.trace_id, trace_id, "{told:?}");
    }
}

#[tokio::test]
async fn a_request_id_finds_all_lines_of_an_order_in_a_pack() {
    const ORDERS: usize = 150;
    let world = telling().env("GATEWAY_LATENCY_MS", "5").start().await;
    let names: Vec<String> = (0..ORDERS).map(|n| format!("packed-{n:03}-\"\\")).collect();
    let methods = ["pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined"];
    let placing = names.iter().zip(methods.iter().cycle());
    let placing = placing.map(|(name, method)| place(&world, name, method));
    let orders = futures_util::future::join_all(placing).await;
    balance(&world, &orders).await;

    let lines = world.processes().map(|process| process.log().lines().count()).sum::<usize>();
    assert!(lines < ORDERS * PIPELINE.len(), "orders that go together share their lines");
    let pipelines = [PIPELINE, PIPELINE, declined()].map(BTreeSet::from);
    for ((name, order), pipeline) in names.iter().zip(&orders).zip(pipelines.iter().cycle()) {
        let found = name.trim_end_matches(['"', '\\']);
        let whole = eventually(&format!("the story of {name}"), LONG, async || {
            let story = stories(&world, found, name);
            if story.len() >= PIPELINE.len() { Ok(story) } else { Err(story) }
        })
        .await;
        assert_eq!(whole.len(), PIPELINE.len());
        assert_eq!(
            &whole.iter().map(StoryLine::words).collect::<BTreeSet<_>>(),
            pipeline,
            "{name}"
        );
        let (order_id, trace_id) = (order.id.to_string(), order.id.simple().to_string());
        for told in &whole {
            assert_eq!((&told.order_id, &told.trace_id), (&order_id, &trace_id), "{told:?}");
        }
    }
}

/// [`story`] for an id that is escaped in the file.
fn stories(world: &World, found: &str, request_id: &str) -> Vec<StoryLine> {
    let logs: Vec<String> = world.processes().map(|process| process.log()).collect();
    let lines = logs.iter().flat_map(|log| whole_lines(log)).filter(|line| line.contains(found));
    lines.map(|line| told(&serde_json::from_str(line).unwrap(), request_id)).collect()
}

#[tokio::test]
async fn failures_on_the_way_are_among_the_lines_of_a_request_id() {
    let world = telling().env("RETRY_DELAYS_MS", "50").start().await;
    let order = place(&world, "story-retried", "pm_card_errorsTwice").await;
    let declined = place(&world, "story-declined", "pm_card_chargeDeclined").await;
    world.eventually_settled(&order).await;
    world.eventually_settled(&declined).await;

    let told = whole_story(&world, "story-retried", 9).await;
    let outcomes = |messages: &[&str]| {
        let found = told.iter().filter(|told| messages.iter().any(|m| told.message.starts_with(m)));
        found.map(|told| told.outcome.as_str()).collect::<Vec<_>>()
    };
    let charges = ["unknown", "begun again", "unknown", "begun again", "captured"];
    assert_eq!(outcomes(&["the charge", "payment resumed", "payment finished"]), charges);
    assert_eq!(outcomes(&["order settled"]), ["Confirmed"]);
    let told = whole_story(&world, "story-declined", PIPELINE.len()).await;
    // The worker may log its confirm later than that.
    let last = told.iter().rfind(|told| told.service == "order-management").unwrap();
    assert_eq!(last.words(), ("order-management", "order settled", "Canceled"));
}

#[tokio::test]
async fn a_dead_lettered_message_names_its_request() {
    let world = telling().start().await;
    let properties = lapin::BasicProperties::default()
        .with_message_id("some-message".into())
        .with_correlation_id("story-dead".into());
    world.publish_raw("processingorders", b"no order", properties).await;

    let told = whole_story(&world, "story-dead", 1).await;

    assert_eq!(told[0].service, "payment-processor");
    assert!(told[0].message.starts_with("message dead-lettered: "), "{told:?}");
}

#[tokio::test]
async fn text_logs_have_the_same_messages_as_json_logs() {
    let world = World::builder().env("LOG_FORMAT", "text").start().await;
    let order = place(&world, "story-text", "pm_card_visa").await;
    world.eventually_settled(&order).await;
    let (words, id) = ("order settled outcome=Confirmed", order.id);
    let wanted = format!("{words} order_id={id} request_id=story-text trace_id={}", id.simple());
    eventually("the last line", LONG, async || world.order_management(0).log_contains(&wanted))
        .await;
    // At its second start the process finds the migrations done, and the driver logs a notice.
    world.order_management(0).sigkill().await.unwrap();
    world.order_management(0).start_again().unwrap();
    world.ready().await;
    let of_the_driver = |log: String| log.lines().any(|line| line.contains("tokio_postgres"));
    assert!(!of_the_driver(world.order_management(0).log()), "libraries say only warnings");
}

#[tokio::test]
async fn unread_log_lines_delay_no_order() {
    // Far more lines than a pipe buffers.
    let world = telling().worker_env("RUST_LOG", "trace").start().await;
    let worker = world.worker(0);
    worker.sigkill().await.unwrap();
    let mut unread = worker.start_unread().unwrap();
    let lost = "ordermill_log_lines_lost_total";
    let mut orders = world.place_orders(100).await;
    balance(&world, &orders).await;
    while counter(&world, worker.ops_url("/metrics"), lost).await == 0.0 {
        orders.extend(world.place_orders(100).await);
        balance(&world, &orders).await;
    }

    kill(Pid::from_raw(unread.id().unwrap().cast_signed()), Signal::SIGTERM).unwrap();
    let end = tokio::time::timeout(LONG, unread.wait()).await.unwrap().unwrap();
    assert!(end.success(), "{end}");
}

#[tokio::test]
async fn foreign_input_neither_fills_a_log_line_nor_starts_a_new_one() {
    let world = World::builder().env("LOG_FORMAT", "text").start().await;
    let id = "m\n2026-11-21T00:00:00Z ERROR story-forged\u{1b}[2J";
    let properties = lapin::BasicProperties::default().with_message_id(id.into());
    // The error quotes the unreadable input.
    let body = format!("\"{}\"", "x".repeat(100_000));
    world.publish_raw("processingorders", body.as_bytes(), properties).await;

    let line = eventually_logged(world.worker(0), "reason=unreadable").await;

    assert!(line.contains(r"message_id=m\n2026") && line.contains(r"\u{1b}[2J"), "{line}");
    assert!(line.len() < 2_000, "a line of {} bytes", line.len());
}
