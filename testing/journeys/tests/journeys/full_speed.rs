//! Every process and server is killed once under full load. Batches are large then, packs are full
//! and the relay leaves work to the sweep, so a fault has other effects than at ten orders per
//! second.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use testkit::eventually;
use testkit::world::{Order, World};

use super::ledger::{LONG, balance, place_stubbornly};

const CLIENTS: usize = 64;
/// Number of orders that have to end after each fault before the next one.
const GOES_ON: i64 = 500;
const FINAL: &str = "select count(*) from orders where status <> 'Pending'";

/// A client that places order after order, each under a key, until `stop` is set.
async fn client(world: &World, number: usize, stop: &AtomicBool) -> Vec<Order> {
    let mut accepted = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let key = format!("{number}-{}", accepted.len());
        accepted.push(place_stubbornly(world, key).await);
    }
    accepted
}

async fn goes_on(world: &World, after: &str) {
    let mut goal = None;
    eventually(&format!("orders to end after {after}"), LONG, async || {
        let ended = world.try_count(FINAL).await.map_err(|error| error.to_string())?;
        let goal = *goal.get_or_insert(ended + GOES_ON);
        if ended >= goal { Ok(()) } else { Err(format!("{ended} of {goal}")) }
    })
    .await;
}

async fn kill_everything_once(world: &World) {
    goes_on(world, "the start").await;
    world.worker(0).sigkill().await.unwrap();
    goes_on(world, "the death of a worker").await;
    world.worker(0).start_again().unwrap();
    world.order_management(0).sigkill().await.unwrap();
    goes_on(world, "the death of an order-management").await;
    world.order_management(0).start_again().unwrap();
    world.rabbitmq().kill().await.unwrap();
    world.rabbitmq().start_again().await.unwrap();
    goes_on(world, "the broker's death").await;
    world.postgres().kill().await.unwrap();
    world.postgres().start_again().await.unwrap();
    goes_on(world, "the database's death").await;
}

#[tokio::test]
async fn everything_is_killed_once_at_full_speed_and_nothing_is_lost_or_charged_twice() {
    let world = World::builder().private_servers().order_management(2).workers(2);
    let world = world.worker_env("GATEWAY_LATENCY_MS", "0").start().await;
    let stop = AtomicBool::new(false);

    let clients = join_all((0..CLIENTS).map(|number| client(&world, number, &stop)));
    let (accepted, ()) = tokio::join!(clients, async {
        kill_everything_once(&world).await;
        stop.store(true, Ordering::Relaxed);
    });

    let accepted = accepted.concat();
    balance(&world, &accepted).await;
    let all = world.count("select count(*) from orders").await;
    assert_eq!(all, i64::try_from(accepted.len()).unwrap(), "a repeated key made a second order");
}
