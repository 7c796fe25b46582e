//! The broker is killed, unavailable, cut off, silent or full.

use std::time::{Duration, Instant};

use testkit::eventually;
use testkit::world::World;

use super::ledger::{LONG, balance, eventually_logged};

#[tokio::test]
async fn orders_are_taken_while_the_broker_is_dead_and_settled_when_it_is_back() {
    let world = World::builder().private_servers().workers(2).start().await;
    let mut orders = world.place_orders(100).await;
    world.rabbitmq().kill().await.unwrap();
    orders.extend(world.place_orders(100).await);
    eventually("the loss to be told", LONG, async || {
        let ready = world.get("/health/ready").await;
        let publisher = ready.json()["components"]["publisher"].to_string();
        let told = (ready.status, ready.json()["status"].clone());
        if told == (200, "UP".into()) && publisher.contains("DEGRADED") {
            Ok(())
        } else {
            Err((told, publisher))
        }
    })
    .await;
    eventually("the workers to be not ready", LONG, async || {
        let url = world.worker(0).ops_url("/health/ready");
        world.http().get(url).send().await.unwrap().status() == 503
    })
    .await;
    for process in world.processes() {
        let healthy = process.run_once(&["healthcheck"]).await.unwrap();
        assert!(healthy.status.success(), "an orchestrator must not restart {}", process.name());
    }

    world.rabbitmq().start_again().await.unwrap();

    balance(&world, &orders).await;
    world.ready_within(LONG).await;
}

#[tokio::test]
async fn connections_that_are_cut_again_and_again_under_load_lose_nothing() {
    let world = World::builder().proxied().workers(2).start().await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        let links = world.links();
        let (placed, ()) = tokio::join!(world.place_orders(80), async {
            links.order_management.broker.cut_once();
            links.workers.broker.cut_once();
            links.workers.database.cut_once();
        });
        orders.extend(placed);
    }

    balance(&world, &orders).await;
}

#[tokio::test]
async fn a_silent_broker_is_noticed_and_left_for_a_new_connection() {
    let world = World::builder().proxied().start().await;
    world.links().order_management.broker.black_hole();
    let order = world.place_order().await;

    eventually("the silence to be noticed", Duration::from_secs(15), async || {
        world.get("/health/ready").await.text.contains("DEGRADED: not connected")
    })
    .await;
    assert_eq!(world.get("/health/ready").await.status, 200, "orders are taken");
    assert_eq!(world.get("/health/live").await.status, 200);
    world.links().order_management.broker.heal();

    assert_eq!(world.settled_within(LONG, &order).await.status, "Confirmed");
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn a_broker_without_memory_takes_nothing_and_nothing_is_lost() {
    let world = World::builder().private_servers().start().await;
    world.rabbitmq().raise_memory_alarm().await.unwrap();
    let orders = world.place_orders(30).await;
    eventually("the block to be seen", LONG, async || {
        let health = world.get("/health/ready").await;
        let publisher = health.json()["components"]["publisher"].to_string();
        if publisher.contains("blocked") { Ok(()) } else { Err(publisher) }
    })
    .await;
    let more = world.place_orders(30).await;

    world.rabbitmq().clear_memory_alarm().await.unwrap();

    balance(&world, &orders.into_iter().chain(more).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn an_order_whose_process_died_between_commit_and_publish_is_relayed_by_another_one() {
    let world = World::builder().proxied().start().await;
    world.links().order_management.broker.black_hole();
    let order = world.place_order().await;
    assert_eq!(world.count("select count(*) from outbox").await, 1, "committed, not published");
    world.order_management(0).sigkill().await.unwrap();
    world.links().order_management.broker.heal();

    let mut world = world;
    let second = world.add_order_management().await;
    world.order_management(second).ready(LONG).await.unwrap();

    assert_eq!(world.settled_within(LONG, &order).await.status, "Confirmed");
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn a_process_that_died_between_commit_and_publish_relays_when_it_is_started_again() {
    let world = World::builder().proxied().start().await;
    world.links().order_management.broker.black_hole();
    let orders = world.place_orders(20).await;
    world.order_management(0).sigkill().await.unwrap();
    world.links().order_management.broker.heal();

    world.order_management(0).start_again().unwrap();
    world.ready().await;

    balance(&world, &orders).await;
}

#[tokio::test]
async fn a_virtual_host_that_is_late_is_waited_for_without_haste_and_without_suspicion() {
    let mut world = World::builder().private_servers().workers(0).start().await;
    let vhost = world.name().to_owned();
    world.rabbitmq().delete_vhost(&vhost).await.unwrap();
    let began = Instant::now();
    world.add_worker().await;
    eventually("a worker that is refused again and again", LONG, async || {
        world.worker(0).log().matches("consuming is interrupted").count() >= 8
    })
    .await;
    // The pauses grow to a second: 8 immediate tries would not take 8 pauses.
    assert!(began.elapsed() > Duration::from_millis(1500), "{:?}", began.elapsed());

    world.rabbitmq().create_vhost(&vhost).await.unwrap();

    world.ready_within(LONG).await;
    // No message was to blame: it asks for as many as ever.
    eventually_logged(world.worker(0), "prefetch=500").await;
    let order = world.place_order().await;
    assert_eq!(world.settled_within(LONG, &order).await.status, "Confirmed");
}
