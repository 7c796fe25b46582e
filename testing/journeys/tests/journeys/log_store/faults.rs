//! The collector, its database and the broker are killed, cut and fed nonsense.

use futures_util::future::join_all;
use lapin::types::{AMQPValue, FieldTable};
use testkit::fault_proxy::FaultProxy;
use tokio_postgres::NoTls;

use super::*;

#[tokio::test]
async fn a_collector_that_is_killed_again_and_again_stores_each_line_once() {
    let mut world = collected("debug").await;
    let second = world.add_log_collector(&[]).await;
    world.ready().await;
    let mut orders = Vec::new();
    for round in 0..6 {
        let collector = world.log_collector(round % 2 * second);
        let stored = async || world.count("select count(*) from logs.log_entries").await;
        let before = stored().await;
        orders.extend(world.place_orders(100).await);
        eventually("lines to be stored", LONG, async || stored().await > before).await;
        collector.sigkill().await.unwrap();
        orders.extend(world.place_orders(50).await);
        collector.start_again().unwrap();
    }
    balance(&world, &orders).await;
    world.ready().await;
    world.log_collector(1).sigkill().await.unwrap();
    all_stored(&world).await;
    // Each placement of orders has a line of its own, even on a slow machine.
    assert!(each_line_once(&world).await > 12);
}

#[tokio::test]
async fn while_its_database_is_away_orders_go_on_and_the_lines_come_afterwards() {
    let mut world = shipping("info").start().await;
    let port = world.worker(0).variable("POSTGRES_PORT").unwrap().parse().unwrap();
    let proxy = FaultProxy::start(port).unwrap();
    proxy.cut();
    world.add_log_collector(&[("LOGS_POSTGRES_PORT", &proxy.port().to_string())]).await;
    let orders = world.place_orders(20).await;
    balance(&world, &orders).await;
    eventually("/logs to say that it cannot look", LONG, async || {
        let url = world.log_collector(0).ops_url("/logs");
        match world.try_send(world.http().get(url)).await {
            Ok(reply) if reply.status == 503 => Ok(()),
            Ok(reply) => Err(reply.text),
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
    proxy.heal();
    world.ready().await;
    eventually("the lines", LONG, async || !lines(&world, "").await.is_empty()).await;

    // The database is stopped once more, with unacked lines.
    proxy.cut();
    for number in 0..200 {
        let line = format!("line {number}");
        world.publish_raw(LOGS, line.as_bytes(), BasicProperties::default()).await;
    }
    let more = world.place_orders(20).await;
    balance(&world, &[orders, more].concat()).await;
    assert!(world.queue_depth(LOGS).await >= 200 - 32, "more is held than is allowed");
    proxy.heal();
    all_stored(&world).await;
    let foreign = "select count(*) from logs.log_entries where message ~ '^line [0-9]+$'";
    assert_eq!(world.count(foreign).await, 200);
    for process in [world.order_management(0), world.worker(0)] {
        assert!(!process.log_contains("log_shipping"), "{}", process.log_tail());
    }
}

#[tokio::test]
async fn slow_queries_delay_no_line() {
    let mut world = World::builder().order_management(0).workers(0).start().await;
    let settings =
        [("LOGS_POSTGRES_POOL_MAX", "2"), ("LOGS_POSTGRES_STATEMENT_TIMEOUT_MS", "600000")];
    world.add_log_collector(&settings).await;
    world.ready().await;
    world.sql("select logs.keep(7, array[(now() at time zone 'UTC')::date - 1])").await;
    let locked = "select to_char(now() at time zone 'UTC' - interval '1 day', 'YYYYMMDD')";
    let yesterday: String = world.sql(locked).await[0].get(0);
    let set = |name| world.log_collector(0).variable(name).unwrap().to_owned();
    let [user, password, port] = ["POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_PORT"].map(set);
    let url = format!("postgres://{user}:{password}@127.0.0.1:{port}/{}", world.name());
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let lock = format!("begin; lock table logs.log_entries_{yesterday}");

    let asking = async { join_all((0..8).map(|_| ask(&world, ""))).await };
    let storing = async {
        client.batch_execute(&lock).await.unwrap();
        let (replies, ()) = tokio::join!(asking, async {
            eventually("questions to wait", LONG, async || {
                let wait = "select count(*) from pg_stat_activity
                             where datname = current_database() and wait_event_type = 'Lock'";
                world.count(wait).await >= 2
            })
            .await;
            world.publish_raw(LOGS, b"a line", BasicProperties::default()).await;
            eventually("the line to be stored", LONG, async || {
                let url = world.log_collector(0).ops_url("/metrics");
                metric(&world, url, "log_entries_total{outcome=\"stored\"}").await > 0.9
            })
            .await;
            client.batch_execute("commit").await.unwrap();
        });
        assert!(replies.iter().all(|reply| reply.status == 200));
        drop(client);
    };
    let ((), _closed) = tokio::join!(storing, connection);
}

#[tokio::test]
async fn without_a_collector_orders_go_on_and_the_queue_keeps_the_newest_64_mib() {
    let world = shipping(DEBUG).start().await;
    let orders = world.place_orders(200).await;
    balance(&world, &orders).await;
    eventually("lines to be in the queue", LONG, async || world.queue_depth(LOGS).await > 0).await;
    let mib = vec![b'x'; 1024 * 1024];
    for _ in 0..70 {
        world.publish_raw(LOGS, &mib, BasicProperties::default()).await;
    }
    world.publish_raw(LOGS, b"the newest", BasicProperties::default()).await;
    let kept = world.messages_in(LOGS).await;
    let large = kept.iter().filter(|message| message.delivery.data == mib).count();
    assert!((50..=64).contains(&large), "{large} messages of 1 MiB");
    assert_eq!(kept.last().unwrap().delivery.data, b"the newest");

    let order = world.place_order().await;
    balance(&world, &[order]).await;
    for process in world.processes() {
        assert!(!process.log_contains("log_shipping"), "{}", process.log_tail());
    }
}

#[tokio::test]
async fn while_the_broker_is_away_lines_are_dropped_and_counted_and_orders_are_taken() {
    let world = shipping(DEBUG).env("LOG_SHIP_BUFFER", "20").private_servers().start().await;
    let sent = "log_lines_shipped_total{outcome=\"sent\"}";
    let dropped = "log_lines_shipped_total{outcome=\"dropped\"}";
    let shop = world.order_management(0);
    let shipped = |name| metric(&world, shop.ops_url("/metrics"), name);
    let mut orders = world.place_orders(20).await;
    balance(&world, &orders).await;
    world.rabbitmq().kill().await.unwrap();
    eventually("lines to be dropped", LONG, async || {
        orders.extend(world.place_orders(20).await);
        shipped(dropped).await > 0.0
    })
    .await;
    let before = shipped(sent).await;
    world.rabbitmq().start_again().await.unwrap();
    balance(&world, &orders).await;
    eventually("lines to be shipped again", LONG, async || shipped(sent).await > before).await;
    let said = shop.log().matches("WARN  log_shipping::shipper").count();
    assert!(said <= 1, "{said} complaints about one outage");

    world.rabbitmq().kill().await.unwrap();
    eventually("the loss to be noticed", LONG, async || {
        shop.log().matches("publishing is interrupted").count() > 1
    })
    .await;
    let begun = Instant::now();
    shop.sigterm().unwrap();
    assert!(shop.wait_exit(LONG).await.unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn garbage_is_stored_as_it_is_or_refused_and_holds_up_nothing() {
    let mut world = World::builder().order_management(0).workers(0).start().await;
    world.add_log_collector(&[]).await;
    world.ready().await;
    let mut headers = FieldTable::default();
    headers.insert("x-instance".into(), AMQPValue::LongString("\0 \u{fffd} %".into()));
    headers.insert("x-sequence".into(), AMQPValue::LongLongInt(i64::MAX));
    let strange = BasicProperties::default()
        .with_headers(headers)
        .with_timestamp(u64::MAX)
        .with_app_id("\0".into());
    let mut wide = FieldTable::default();
    wide.insert("x-pad".into(), AMQPValue::LongString("x".repeat(100_000).into()));
    let plain = BasicProperties::default;
    for (body, properties) in [
        (b"\xff\xfe\x00 bytes".to_vec(), plain()),
        (b"a\nb\nc".to_vec(), strange),
        (
            b"{\"message\":\"nul \\u0000\",\"f\\u0000\":[\"\\u0000\"],\"order_id\":\"x\\n\"}"
                .to_vec(),
            plain(),
        ),
        (
            b"{\"message\":7,\"level\":{},\"time\":\"yesterday\",\"orders\":[1,{}]}".to_vec(),
            plain(),
        ),
        // The year 10000 in UTC, which is beyond the valid times.
        (b"{\"message\":\"late\",\"time\":\"9999-12-31T23:59:59-00:01\"}".to_vec(), plain()),
        ("[".repeat(100_000).into_bytes(), plain()),
        (vec![b'x'; 2 * 1024 * 1024], plain()),
        ("\n".repeat(10_000).into_bytes(), plain()),
        ("y\n".repeat(5_000).into_bytes(), plain()),
        (b"wide".to_vec(), plain().with_headers(wide)),
        (Vec::new(), plain()),
    ] {
        world.publish_raw(LOGS, &body, properties).await;
    }
    world.publish_raw(LOGS, b"{\"message\":\"the last one\"}", plain()).await;
    eventually("the last one", LONG, async || {
        world.count("select count(*) from logs.log_entries where message = 'the last one'").await
            == 1
    })
    .await;
    let collector = world.log_collector(0);
    let url = || collector.ops_url("/metrics");
    eventually("the rest", LONG, async || {
        let stored = metric(&world, url(), "log_entries_total{outcome=\"stored\"}").await;
        let refused = metric(&world, url(), "log_entries_total{outcome=\"refused\"}").await;
        let seen = (stored, refused);
        if seen == (5010.0, 1.0) { Ok(()) } else { Err(seen) }
    })
    .await;
    let one = "select count(*) from logs.log_entries where message = $1";
    for message in ["\u{fffd}\u{fffd}\u{fffd} bytes", "nul \u{fffd}", "late", "wide"] {
        let found: i64 = world.sql_with(one, &[&message]).await[0].get(0);
        assert_eq!(found, 1, "{message}");
    }
    assert_eq!(world.queue_depth(LOGS).await, 0);
    assert!(collector.is_running() && !collector.log_contains("interrupted"));
}

#[tokio::test]
async fn connections_that_are_cut_cost_no_line_and_double_none() {
    let mut world = shipping("debug").proxied().start().await;
    world.add_log_collector(&[]).await;
    world.ready().await;
    let mut orders = Vec::new();
    for _ in 0..8 {
        for link in [&world.links().order_management, &world.links().workers] {
            orders.extend(world.place_orders(20).await);
            link.broker.cut_once();
        }
    }
    balance(&world, &orders).await;
    world.ready().await;
    all_stored(&world).await;
    // As above.
    assert!(each_line_once(&world).await > 16);
}

#[tokio::test]
async fn while_the_broker_takes_nothing_lines_are_dropped_and_no_connection_is_made_anew() {
    let world = shipping("debug").env("LOG_SHIP_BUFFER", "20").private_servers().start().await;
    let shop = world.order_management(0);
    let shown = |name| metric(&world, shop.ops_url("/metrics"), name);
    let (sent, dropped, connects) = (
        "log_lines_shipped_total{outcome=\"sent\"}",
        "log_lines_shipped_total{outcome=\"dropped\"}",
        "broker_connects_total{role=\"logs\"}",
    );
    let mut orders = world.place_orders(20).await;
    balance(&world, &orders).await;
    world.rabbitmq().raise_memory_alarm().await.unwrap();
    eventually("lines to be dropped", LONG, async || {
        orders.extend(world.place_orders(20).await);
        shown(dropped).await > 0.0
    })
    .await;
    let before = shown(sent).await;
    world.rabbitmq().clear_memory_alarm().await.unwrap();
    balance(&world, &orders).await;
    eventually("lines to be shipped again", LONG, async || shown(sent).await > before).await;
    assert_eq!(shown(connects).await, 1.0);
    assert!(!shop.log_contains("log_shipping"), "{}", shop.log_tail());
}
