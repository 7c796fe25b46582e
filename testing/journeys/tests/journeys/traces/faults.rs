//! A trace stays complete when a request or a charge is abandoned; a misbehaving collector is
//! recognised.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Url;
use testkit::collector::{Collected, Collector};
use testkit::eventually;
use testkit::world::{World, order_body};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::super::ledger::{LONG, balance, counter, eventually_logged};
use super::{REQUESTS, RESULTS, place, trace_of, traced};

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn named<'a>(spans: &'a [Collected], trace: &str, name: &str) -> Vec<&'a Collected> {
    spans.iter().filter(|span| span.trace_id == trace && span.name == name).collect()
}

/// Waits until the span that settled this trace's order has arrived, and the parent of every span
/// except the caller's; returns all spans.
async fn whole(collector: &Collector, trace: &str) -> Vec<Collected> {
    let name = format!("process {RESULTS}");
    let whole = |spans: &[Collected]| {
        let ours: Vec<_> = spans.iter().filter(|span| span.trace_id == trace).collect();
        let ids: BTreeSet<_> = ours.iter().map(|span| span.span_id.as_str()).collect();
        let parents = ours.iter().filter_map(|span| span.parent_id.as_deref());
        let causes = parents.filter(|id| !CALLER.contains(id)).all(|id| ids.contains(id));
        causes && !named(spans, trace, &name).is_empty()
    };
    collector.eventually("the whole trace", LONG, whole).await
}

/// A client that has sent an order, and disconnects without reading the answer when it is dropped.
async fn leaving_client(world: &World) -> TcpStream {
    let url: Url = world.url(0, "/orders").parse().unwrap();
    let address = (url.host_str().unwrap(), url.port().unwrap());
    let mut client = TcpStream::connect(address).await.unwrap();
    client.set_zero_linger().unwrap();
    let body = order_body("pm_card_visa").to_string();
    let length = body.len();
    let request = format!(
        "POST /orders HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n\
         traceparent: {CALLER}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

#[tokio::test]
async fn an_order_whose_client_left_before_the_answer_has_a_whole_trace() {
    let collector = Collector::start().unwrap();
    let world = traced(&collector).proxied().start().await;
    world.links().order_management.database.black_hole();
    let client = leaving_client(&world).await;
    let answering = "http_server_active_requests{http_request_method=\"POST\"}";
    let url = world.order_management(0).ops_url("/metrics");
    let requests = async |wanted: f64| {
        eventually("requests to be answered", LONG, async || {
            let seen = counter(&world, url.clone(), answering).await;
            (seen - wanted).abs() < 0.5
        })
        .await;
    };
    requests(1.0).await;
    drop(client);
    requests(0.0).await;
    world.links().order_management.database.heal();

    let all = whole(&collector, TRACE).await;

    let server = named(&all, TRACE, "POST /orders")[0];
    assert!(server.failed && server.kind == "SERVER", "{server:?}");
    assert_eq!(server.attributes["error.type"], "client_left");
}

#[tokio::test]
async fn a_charge_that_was_given_up_is_in_the_orders_trace() {
    let collector = Collector::start().unwrap();
    let world = traced(&collector).worker_env("GATEWAY_LATENCY_MS", "3000").proxied().start().await;
    let order = place(&world, "pm_card_visa", &[("traceparent", CALLER)]).await;
    eventually("the charge to begin", LONG, async || {
        world.count("select count(*) from payments.payments").await == 1
    })
    .await;
    world.links().workers.broker.cut_once();
    world.eventually_settled(&order).await;

    let all = whole(&collector, TRACE).await;

    assert_eq!(trace_of(&all, &order).as_deref(), Some(TRACE));
    let attempts = named(&all, TRACE, &format!("process {REQUESTS}"));
    let given_up: Vec<_> = attempts.iter().filter(|span| span.failed).collect();
    assert_eq!((attempts.len(), given_up.len()), (2, 1), "{attempts:?}");
    assert_eq!(given_up[0].attributes["error.type"], "unfinished");
    assert_eq!(given_up[0].attributes["ordermill.order.id"], order.id.to_string());
}

#[tokio::test]
async fn spans_that_a_collector_redirects_count_as_not_exported() {
    let collector = Collector::start().unwrap();
    collector.send_elsewhere();
    let otlp = traced(&collector).start().await;
    let zipkin = traced(&collector)
        .env("OTEL_TRACES_EXPORTER", "zipkin")
        .env("OTEL_EXPORTER_ZIPKIN_ENDPOINT", &collector.zipkin_endpoint())
        .start()
        .await;
    for world in [otlp, zipkin] {
        let order = place(&world, "pm_card_visa", &[]).await;
        world.eventually_settled(&order).await;
        let url = world.worker(0).ops_url("/metrics");
        let spans = async |outcome: &str| {
            let name = format!("ordermill_spans_total{{outcome=\"{outcome}\"}}");
            counter(&world, url.clone(), &name).await
        };
        eventually("a request to fail", LONG, async || spans("failed").await > 0.0).await;
        assert!(spans("exported").await < 0.5);
    }
}

#[tokio::test]
async fn a_collector_that_is_silent_or_gone_delays_no_order() {
    // Four spans per order in order-management: more than its queue and its exports can contain.
    const ORDERS: usize = 2400;
    let collector = Collector::start().unwrap();
    let world = traced(&collector).start().await;
    collector.fall_silent(true);
    let orders = world.place_orders(ORDERS).await;
    for order in &orders {
        world.eventually_settled(order).await;
    }
    balance(&world, &orders).await;
    // By now some spans were dropped.
    let dropped = "ordermill_spans_total{outcome=\"dropped\"}";
    eventually("spans to be dropped", LONG, async || {
        counter(&world, world.order_management(0).ops_url("/metrics"), dropped).await > 0.0
    })
    .await;

    drop(collector);
    let late = world.place_orders(50).await;
    for order in &late {
        world.eventually_settled(order).await;
    }

    for process in world.processes() {
        let failed = "ordermill_spans_total{outcome=\"failed\"}";
        eventually("a batch to fail", LONG, async || {
            counter(&world, process.ops_url("/metrics"), failed).await > 0.0
        })
        .await;
        eventually_logged(process, "the collector does not accept spans").await;
        assert_eq!(process.log().matches("the collector does not accept spans").count(), 1);
        process.sigterm().unwrap();
        let end = process.wait_exit(Duration::from_secs(10)).await.unwrap();
        assert!(end.success(), "{end}");
    }
}
