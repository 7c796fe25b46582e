//! One trace from the HTTP request to the final status, as a collector receives it.

mod faults;

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use testkit::collector::{Collected, Collector};
use testkit::world::{Order, World, WorldBuilder, order_body};

use super::ledger::{LONG, stop_services};

const REQUESTS: &str = "orders_exchange:processingorders";
const RESULTS: &str = "orders_exchange:processedorders";

fn traced(collector: &Collector) -> WorldBuilder {
    World::builder()
        .env("OTEL_TRACES_EXPORTER", "otlp")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.otlp_endpoint())
        .env("OTEL_TRACES_SAMPLER_ARG", "1")
}

/// The spans of one trace, by name.
fn of_trace<'a>(spans: &'a [Collected], trace_id: &str) -> BTreeMap<String, &'a Collected> {
    let ours = spans.iter().filter(|span| span.trace_id == trace_id);
    ours.map(|span| (format!("{} {} {}", span.service, span.kind, span.name), span)).collect()
}

/// The names of an order's spans, from cause to effect.
fn pipeline() -> Vec<String> {
    vec![
        "order-management SERVER POST /orders".to_owned(),
        format!("order-management PRODUCER publish {REQUESTS}"),
        format!("payment-processor CONSUMER process {REQUESTS}"),
        format!("payment-processor PRODUCER publish {RESULTS}"),
        format!("order-management CONSUMER process {RESULTS}"),
    ]
}

fn whole(spans: &[Collected], trace_id: &str) -> bool {
    let ours = of_trace(spans, trace_id);
    pipeline().iter().all(|name| ours.contains_key(name))
}

/// Checks that each span of the pipeline is caused by the previous one, and begins no earlier.
fn assert_chained(spans: &BTreeMap<String, &Collected>) {
    for pair in pipeline().windows(2) {
        let (cause, effect) = (spans[&pair[0]], spans[&pair[1]]);
        assert_eq!(effect.parent_id.as_ref(), Some(&cause.span_id), "{pair:?}");
        assert!(effect.times.0 >= cause.times.0, "{pair:?}");
        assert!(effect.times.1 >= effect.times.0, "{pair:?}");
    }
}

async fn place(world: &World, method: &str, headers: &[(&str, &str)]) -> Order {
    let mut request = world.request(Method::POST, "/orders").json(&order_body(method));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Order::from_json(world.send(request).await.json())
}

fn trace_of(spans: &[Collected], order: &Order) -> Option<String> {
    let id = order.id.to_string();
    let about = |span: &&Collected| span.attributes.get("ordermill.order.id") == Some(&id);
    spans.iter().find(about).map(|span| span.trace_id.clone())
}

/// Waits until all spans of this order have arrived, and returns every span.
async fn eventually_whole(collector: &Collector, order: &Order) -> Vec<Collected> {
    eventually_whole_with(collector, order, &[]).await
}

/// The same with these spans beside the pipeline's, each of which may leave later than those.
async fn eventually_whole_with(
    collector: &Collector,
    order: &Order,
    beside: &[&str],
) -> Vec<Collected> {
    let there = |spans: &[Collected]| {
        trace_of(spans, order).is_some_and(|trace| {
            let ours = of_trace(spans, &trace);
            whole(spans, &trace) && beside.iter().all(|name| ours.contains_key(*name))
        })
    };
    collector.eventually("the whole trace", LONG, there).await
}

#[tokio::test]
async fn an_order_is_one_trace_over_both_services() {
    let collector = Collector::start().unwrap();
    let world = traced(&collector).start().await;
    let order = place(&world, "pm_card_visa", &[("X-Request-ID", "traced-1")]).await;
    world.eventually_settled(&order).await;

    let beside = ["payment-processor CLIENT gateway charge", "order-management INTERNAL place"];
    let all = eventually_whole_with(&collector, &order, &beside).await;

    let spans = of_trace(&all, &trace_of(&all, &order).unwrap());
    assert_chained(&spans);
    let server = spans["order-management SERVER POST /orders"];
    assert_eq!(server.parent_id, None);
    assert_eq!(server.attributes["http.response.status_code"], "201");
    assert_eq!(server.attributes["http.route"], "/orders");
    let published = spans[&format!("order-management PRODUCER publish {REQUESTS}")];
    let wanted = [
        ("messaging.system", "rabbitmq"),
        ("messaging.operation.name", "publish"),
        ("messaging.operation.type", "send"),
        ("messaging.destination.name", REQUESTS),
        ("messaging.rabbitmq.destination.routing_key", "processingorders"),
        ("messaging.message.id", &order.id.to_string()),
        ("messaging.message.conversation_id", "traced-1"),
    ];
    for (name, value) in wanted {
        assert_eq!(published.attributes.get(name).map(String::as_str), Some(value), "{name}");
    }
    let processed = spans[&format!("payment-processor CONSUMER process {REQUESTS}")];
    let asked = spans["payment-processor CLIENT gateway charge"];
    assert_eq!(asked.parent_id.as_ref(), Some(&processed.span_id));
    let placed = spans["order-management INTERNAL place"];
    assert_eq!(placed.parent_id.as_ref(), Some(&server.span_id));
    let settled = spans[&format!("order-management CONSUMER process {RESULTS}")];
    assert_eq!(settled.attributes["ordermill.outcome"], "Confirmed");
}

#[tokio::test]
async fn a_caller_decides_whether_its_trace_is_recorded() {
    let collector = Collector::start().unwrap();
    let world = traced(&collector).start().await;
    let (recorded, not) = ("0af7651916cd43dd8448eb211c80319c", "1af7651916cd43dd8448eb211c80319c");
    let header = format!("00-{not}-b7ad6b7169203331-00");
    let unseen = place(&world, "pm_card_visa", &[("traceparent", &header)]).await;
    world.eventually_settled(&unseen).await;
    let header = format!("00-{recorded}-b7ad6b7169203331-01");
    let order = place(&world, "pm_card_visa", &[("traceparent", &header)]).await;
    world.eventually_settled(&order).await;

    let all = collector.eventually("its trace", LONG, |spans| whole(spans, recorded)).await;

    let spans = of_trace(&all, recorded);
    assert_chained(&spans);
    let parent = spans["order-management SERVER POST /orders"].parent_id.as_deref();
    assert_eq!(parent, Some("b7ad6b7169203331"));
    assert!(of_trace(&all, not).is_empty());
    assert_eq!(trace_of(&all, &unseen), None);
}

#[tokio::test]
async fn batches_link_to_the_orders_in_them_and_packs_mix_up_no_traces() {
    const ORDERS: usize = 200;
    // OpenTelemetry's default, which a batch of a busy machine may exceed.
    const LINKS_MAX: usize = 128;
    let collector = Collector::start().unwrap();
    let world = traced(&collector).env("GATEWAY_LATENCY_MS", "5").start().await;
    let orders = world.place_orders(ORDERS).await;
    for order in &orders {
        world.eventually_settled(order).await;
    }

    // A batch's span ends after the spans of its orders, and may be exported later.
    let batched = ["place".to_owned(), format!("publish {REQUESTS}"), format!("process {RESULTS}")];
    let complete = |spans: &[Collected]| {
        let traces = orders.iter().filter_map(|order| trace_of(spans, order));
        let batch = |name: &String| spans.iter().any(|s| s.name == *name && s.links.len() > 1);
        batched.iter().all(batch) && traces.filter(|trace| whole(spans, trace)).count() == ORDERS
    };
    let all = collector.eventually("all traces and batches", LONG, complete).await;

    let traces: BTreeSet<String> = orders.iter().filter_map(|o| trace_of(&all, o)).collect();
    assert_eq!(traces.len(), ORDERS, "each order has a trace of its own");
    for order in &orders {
        let spans = of_trace(&all, &trace_of(&all, order).unwrap());
        assert_chained(&spans);
        let id = order.id.to_string();
        let named = spans.values().filter_map(|span| span.attributes.get("ordermill.order.id"));
        assert!(named.clone().all(|named| *named == id), "a span of another order");
    }
    for name in batched {
        let batches = all.iter().filter(|span| span.name == name && !span.links.is_empty());
        let largest = batches.max_by_key(|span| span.links.len()).unwrap();
        let size: usize = largest.attributes["ordermill.batch.size"].parse().unwrap();
        assert_eq!(size.min(LINKS_MAX), largest.links.len(), "{name}");
        for (trace_id, span_id) in &largest.links {
            let linked = |s: &Collected| (&s.trace_id, &s.span_id) == (trace_id, span_id);
            assert!(all.iter().any(linked), "{name} links to a span that never arrived");
        }
    }
}

#[tokio::test]
async fn every_attempt_at_a_charge_is_in_the_orders_trace() {
    let collector = Collector::start().unwrap();
    let world = traced(&collector).env("RETRY_DELAYS_MS", "50").start().await;
    let order = place(&world, "pm_card_errorsTwice", &[]).await;
    world.eventually_settled(&order).await;

    // The worker's last span ends after the order is settled, and may leave later than that.
    let whole = [
        (format!("process {REQUESTS}"), 3),
        (format!("publish {RESULTS}"), 1),
        (format!("process {RESULTS}"), 1),
    ];
    let all = collector
        .eventually("every attempt, the reply and the settle", LONG, |spans| {
            trace_of(spans, &order).is_some_and(|trace| {
                let ours = |name: &str| {
                    let named = |s: &&Collected| s.trace_id == trace && s.name == name;
                    spans.iter().filter(named).count()
                };
                whole.iter().all(|(name, count)| ours(name) >= *count)
            })
        })
        .await;

    let trace = trace_of(&all, &order).unwrap();
    let named = |name: &str| {
        let ours = all.iter().filter(|span| span.trace_id == trace && span.name == name);
        ours.map(|span| span.failed).collect::<Vec<_>>()
    };
    let attempts = named(&format!("process {REQUESTS}"));
    assert_eq!(attempts.len(), 3);
    assert_eq!(named("gateway charge").iter().filter(|failed| **failed).count(), 2);
    assert_eq!(named("gateway look_up").len(), 2);
}

#[tokio::test]
async fn zipkin_gets_the_same() {
    let collector = Collector::start().unwrap();
    let world = World::builder()
        .env("OTEL_TRACES_EXPORTER", "zipkin")
        .env("OTEL_EXPORTER_ZIPKIN_ENDPOINT", &collector.zipkin_endpoint())
        .env("OTEL_TRACES_SAMPLER_ARG", "1")
        .start()
        .await;
    let order = place(&world, "pm_card_chargeDeclined", &[]).await;
    world.eventually_settled(&order).await;

    let all = eventually_whole(&collector, &order).await;

    let spans = of_trace(&all, &trace_of(&all, &order).unwrap());
    assert_chained(&spans);
    let settled = spans[&format!("order-management CONSUMER process {RESULTS}")];
    assert_eq!(settled.attributes["ordermill.outcome"], "Canceled");
}

#[tokio::test]
async fn the_last_spans_leave_before_the_process_does() {
    let collector = Collector::start().unwrap();
    let world = traced(&collector).start().await;
    let order = place(&world, "pm_card_visa", &[]).await;
    world.eventually_settled(&order).await;

    stop_services(&world).await;

    let all = collector.spans().unwrap();
    let trace = trace_of(&all, &order).unwrap();
    assert!(whole(&all, &trace), "{:?}", of_trace(&all, &trace).keys());
}

#[tokio::test]
async fn made_up_input_of_a_client_takes_little_room_in_a_span() {
    let collector = Collector::start().unwrap();
    let world = traced(&collector).start().await;
    let (method, path) = (Method::from_bytes(b"BREW").unwrap(), format!("/{}", "x".repeat(4_000)));
    let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer = world.send(world.request(method, &path).header("traceparent", header)).await;
    assert_eq!(answer.status, 404);

    let ours = |span: &&Collected| span.trace_id == "0af7651916cd43dd8448eb211c80319c";
    let there = |spans: &[Collected]| spans.iter().any(|span| ours(&span));
    let all = collector.eventually("its span", LONG, there).await;

    let span = all.iter().find(ours).unwrap();
    assert_eq!((span.name.as_str(), &*span.attributes["http.request.method"]), ("HTTP", "_OTHER"));
    assert_eq!(span.attributes["url.path"].len(), 256);
}

#[tokio::test]
async fn no_span_is_recorded_unless_the_settings_ask_for_it() {
    let collector = Collector::start().unwrap();
    let endpoint = collector.otlp_endpoint();
    let world = World::builder().env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint).start().await;
    let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let order = place(&world, "pm_card_visa", &[("traceparent", header)]).await;
    world.eventually_settled(&order).await;

    stop_services(&world).await;
    assert_eq!(collector.spans().unwrap(), []);
}
