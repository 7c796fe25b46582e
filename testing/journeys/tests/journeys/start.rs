//! Any process may start first (P8).

use std::time::{Duration, Instant};

use testkit::eventually;
use testkit::world::World;

use super::ledger::{LONG, balance, first_order};

#[tokio::test]
async fn processes_that_start_before_their_servers_wait_for_them_however_late_they_are() {
    let world = World::builder().private_servers().order_management(0).workers(0).start().await;
    world.rabbitmq().kill().await.unwrap();
    world.postgres().kill().await.unwrap();
    let mut world = world;
    world.add_worker().await;
    world.add_order_management().await;
    eventually("the API to say that it is not ready", LONG, async || {
        let request = world.request(reqwest::Method::GET, "/health/ready");
        let reply = world.try_send(request).await;
        reply.map(|reply| reply.status).ok() == Some(503)
    })
    .await;

    world.postgres().start_again().await.unwrap();
    // Orders are accepted as soon as PostgreSQL is available.
    let order = first_order(&world).await;
    let broker_is_late = Instant::now();
    eventually("20 seconds without a broker", LONG, async || {
        assert!(world.processes().all(|process| process.is_running()));
        broker_is_late.elapsed() > Duration::from_secs(20)
    })
    .await;
    assert_eq!(world.get_order(order.id).await.status, "Pending");
    world.rabbitmq().start_again().await.unwrap();

    world.ready_within(LONG).await;
    balance(&world, &[order]).await;
}

#[tokio::test]
async fn a_worker_may_start_before_any_order_management_and_after_it() {
    let mut world = World::builder().order_management(0).workers(1).start().await;
    world.add_order_management().await;
    world.ready().await;
    let first = world.place_order().await;
    world.worker(0).sigkill().await.unwrap();
    let second = world.place_order().await;
    world.add_worker().await;

    balance(&world, &[first, second]).await;
}

#[tokio::test]
async fn settings_that_are_wrong_are_all_named_at_the_start() {
    let world = World::builder()
        .order_management(0)
        .workers(0)
        .worker_env("PREFETCH", "none")
        .worker_env("GATEWAY_LATENCY_MS", "-1")
        .worker_env("AMQP_SERVER_URL", "hunter2")
        .start()
        .await;
    let mut world = world;
    let worker = world.add_worker().await;
    let exit = world.worker(worker).wait_exit(LONG).await.unwrap();

    assert!(!exit.success());
    let log = world.worker(worker).log();
    for name in ["PREFETCH=\"none\"", "GATEWAY_LATENCY_MS=\"-1\"", "AMQP_SERVER_URL=(hidden)"] {
        assert!(log.contains(name), "{name} is not in {log}");
    }
    assert!(!log.contains("hunter2"));
}
