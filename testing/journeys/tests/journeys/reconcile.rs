//! Purged messages: their orders still end, and no other order is re-requested.

use std::time::Duration;

use testkit::eventually;
use testkit::world::{Order, World, WorldBuilder};

use super::ledger::{LONG, balance, counted, counter, eventually_counted};

const REQUESTS: &str = "processingorders";
const RESULTS: &str = "processedorders";

fn watchful() -> WorldBuilder {
    World::builder()
        .order_management_env("RECONCILE_AFTER_MS", "1500")
        .worker_env("GATEWAY_LATENCY_MS", "0")
}

/// Records every re-request in the database, regardless of the process that makes it and of its
/// fate.
async fn take_notes(world: &World) {
    for statement in [
        "create table notes (order_id uuid, asked integer)",
        "create function note() returns trigger language plpgsql as $$ begin
             insert into notes values (new.order_id, new.asked); return new; end $$",
        "create trigger note after update on late_orders for each row execute function note()",
    ] {
        world.sql(statement).await;
    }
}

/// Places orders and purges their requests.
async fn lost_requests(world: &World, count: usize) -> Vec<Order> {
    let orders = world.place_orders(count).await;
    relayed(world).await;
    world.purge(REQUESTS).await;
    orders
}

async fn relayed(world: &World) {
    eventually("the outbox to be empty", LONG, async || {
        world.count("select count(*) from outbox").await == 0
    })
    .await;
}

/// The number of re-requests of the first order-management.
async fn asked(world: &World) -> f64 {
    let url = world.order_management(0).ops_url("/metrics");
    counter(world, url, "ordermill_payment_rerequests_total").await
}

/// Waits until the i-th order-management has inspected the queues this often with this outcome.
async fn looked(world: &World, i: usize, outcome: &str, times: f64) {
    let name = format!("ordermill_queue_inspections_total{{outcome=\"{outcome}\"}}");
    let url = || world.order_management(i).ops_url("/metrics");
    let before = counter(world, url(), &name).await;
    eventually(&format!("{times} looks that find {outcome}"), LONG, async || {
        let seen = counter(world, url(), &name).await - before;
        if seen >= times { Ok(()) } else { Err(seen) }
    })
    .await;
}

#[tokio::test]
async fn orders_whose_requests_were_purged_are_re_requested_and_end() {
    let mut world = watchful().workers(0).start().await;
    let orders = lost_requests(&world, 40).await;
    world.add_worker().await;

    balance(&world, &orders).await;

    counted(&world, "ordermill_payment_rerequests_total", 40.0).await;
    let id = orders[0].id.to_string();
    eventually("the log to say it", LONG, async || {
        let log = world.order_management(0).log();
        log.lines().any(|line| line.contains("requesting its payment again") && line.contains(&id))
    })
    .await;
}

#[tokio::test]
async fn orders_whose_requests_queue_was_deleted_end() {
    let world = watchful().start().await;
    let (connection, channel) = world.channel().await;
    let deleted = channel.queue_delete(REQUESTS.into(), Default::default()).await;
    deleted.unwrap();
    drop((channel, connection));

    let orders = world.place_orders(20).await;

    balance(&world, &orders).await;
}

#[tokio::test]
async fn orders_whose_results_were_purged_end_and_are_captured_once() {
    let world = watchful().worker_env("GATEWAY_LATENCY_MS", "1000").start().await;
    let orders = world.place_orders(20).await;
    relayed(&world).await;
    world.order_management(0).sigkill().await.unwrap();
    eventually("all to be charged", LONG, async || {
        world.count("select count(*) from payments.payments where status <> 'started'").await == 20
    })
    .await;
    eventually("the results to be in the queue", LONG, async || {
        world.queue_depth(RESULTS).await > 0
    })
    .await;
    world.purge(RESULTS).await;

    world.order_management(0).start_again().unwrap();
    world.ready().await;

    balance(&world, &orders).await;
}

#[tokio::test]
async fn orders_in_a_long_backlog_are_not_re_requested() {
    let mut world = watchful().workers(0).start().await;
    let orders = world.place_orders(60).await;
    eventually("all to be late", LONG, async || {
        world.count("select count(*) from late_orders").await == 60
    })
    .await;
    looked(&world, 0, "waiting", 30.0).await;
    assert_eq!(asked(&world).await, 0.0);

    world.add_worker().await;
    balance(&world, &orders).await;

    assert_eq!(asked(&world).await, 0.0);
}

#[tokio::test]
async fn a_charge_in_a_retry_queue_is_not_re_requested() {
    let world = watchful()
        .env("RETRY_DELAYS_MS", "400")
        .worker_env("GATEWAY_TIMEOUT_MS", "100")
        .start()
        .await;
    world.place_order_with("pm_card_neverAnswers").await;
    eventually("it to be late", LONG, async || {
        world.count("select count(*) from late_orders").await == 1
    })
    .await;

    looked(&world, 0, "waiting", 30.0).await;

    assert_eq!(asked(&world).await, 0.0);
}

#[tokio::test]
async fn while_the_broker_is_away_nothing_is_put_into_the_outbox() {
    let mut world = watchful().proxied().workers(0).start().await;
    let orders = lost_requests(&world, 10).await;
    world.links().order_management.broker.cut();
    eventually("all to be late", LONG, async || {
        world.count("select count(*) from late_orders").await == 10
    })
    .await;
    looked(&world, 0, "away", 20.0).await;
    assert_eq!(world.count("select count(*) from outbox").await, 0);

    world.links().order_management.broker.heal();
    world.add_worker().await;

    balance(&world, &orders).await;
}

#[tokio::test]
async fn two_order_managements_re_request_an_order_once() {
    let mut world = watchful().order_management(2).workers(0).start().await;
    take_notes(&world).await;
    let orders = lost_requests(&world, 50).await;
    eventually("all to be asked for", LONG, async || {
        world.count("select count(distinct order_id) from notes").await == 50
    })
    .await;
    // The re-requested orders are in the queue now, where both processes see them.
    looked(&world, 0, "waiting", 15.0).await;
    looked(&world, 1, "waiting", 15.0).await;
    assert_eq!(world.count("select count(*) from notes").await, 50, "one request more an order");

    world.add_worker().await;
    balance(&world, &orders).await;
}

#[tokio::test]
async fn an_order_management_that_is_killed_during_re_requests_loses_none() {
    let mut world = watchful().workers(0).start().await;
    take_notes(&world).await;
    let orders = lost_requests(&world, 50).await;
    eventually("some to be asked for", Duration::from_secs(60), async || {
        world.count("select count(*) from notes").await > 0
    })
    .await;
    world.order_management(0).sigkill().await.unwrap();
    let (noted, left) = (
        world.count("select count(*) from notes").await,
        world.count("select coalesce(sum(orders), 0)::bigint from outbox").await,
    );
    assert!(left + i64::from(world.queue_depth(REQUESTS).await) > 0, "{noted} noted, all gone");

    world.order_management(0).start_again().unwrap();
    world.add_worker().await;

    balance(&world, &orders).await;
    let twice = "select count(*) from (select from notes group by order_id having count(*) > 2) n";
    assert_eq!(world.count(twice).await, 0);
}

/// Orders that stay with a worker whose gateway does not answer, and `management` as the API's URL.
async fn all_in_a_workers_hands(world: &mut World) -> Vec<Order> {
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(world.place_order_with("pm_card_neverAnswers").await);
    }
    relayed(world).await;
    world.add_worker().await;
    eventually("all to be unacked", LONG, async || world.queue_depth(REQUESTS).await == 0).await;
    orders
}

#[tokio::test]
async fn orders_in_flight_are_not_re_requested_for_three_times_as_long() {
    for management in ["", "http://127.0.0.1:1"] {
        let builder = watchful().workers(0).worker_env("GATEWAY_TIMEOUT_MS", "600000");
        let builder = builder.order_management_env("RECONCILE_AFTER_MS", "12000");
        let mut world = match management {
            "" => builder.start().await,
            away => builder.order_management_env("RABBITMQ_MANAGEMENT_URL", away).start().await,
        };
        let orders = all_in_a_workers_hands(&mut world).await;

        // Every 1.5 s, after the API has noticed them: longer than an order that is in no queue waits.
        looked(&world, 0, "in_flight", 14.0).await;

        assert_eq!(asked(&world).await, 0.0, "{management:?}");
        // A worker that hangs does not hold repair back for ever.
        let all = f64::from(u32::try_from(orders.len()).unwrap());
        counted(&world, "ordermill_payment_rerequests_total", all).await;
    }
}

#[tokio::test]
async fn one_order_has_one_message_however_often_its_charge_has_no_verdict() {
    let world = watchful()
        .env("RETRY_DELAYS_MS", "500,60000")
        .worker_env("GATEWAY_TIMEOUT_MS", "100")
        .start()
        .await;
    let order = world.place_order_with("pm_card_neverAnswers").await;
    let scheduled = "processingorders.retry.60000";
    eventually("the order to wait for a minute", LONG, async || {
        world.queue_depth(scheduled).await == 1
    })
    .await;

    for _ in 0..5 {
        world.deliver_payment_request_again(&order).await;
    }

    let dropped = "messaging_client_consumed_messages_total";
    eventually_counted(&world, world.worker(0), dropped, 7.0).await;
    let all = ["processingorders", "processingorders.retry.500", scheduled];
    eventually("the second messages to be dropped", LONG, async || {
        let unacked =
            counter(&world, world.worker(0).ops_url("/metrics"), "ordermill_messages_unacked");
        unacked.await == 0.0
    })
    .await;
    assert_eq!(world.depth_of(&all).await, 1);
    // A purged retry queue does not lose the order.
    world.purge(scheduled).await;
    world.sql("update payments.payments set scheduled_due = now() - interval '1 hour'").await;
    eventually("the order to be re-requested", LONG, async || {
        world.depth_of(&all).await == 1 || asked(&world).await > 0.0
    })
    .await;
}
