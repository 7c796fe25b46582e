//! Times of recovery after a fault. docs/reliability.md has the targets and the figures; the
//! deadlines here are three times as long, because debug builds on a busy machine are slower than
//! release builds. `RECOVERY_ROUNDS=10` with `--nocapture` measures.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use nix::sys::signal::{Signal, kill};
use testkit::eventually;
use testkit::world::{Order, World, order_body};

use super::ledger::{LONG, balance, counter, first_order};

const SECOND: Duration = Duration::from_secs(1);
/// Factor between the target and a test's deadline.
const SLACK: u32 = 3;

#[expect(clippy::disallowed_methods, reason = "no setting of the services")]
fn rounds() -> usize {
    std::env::var("RECOVERY_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// The times after one fault, round by round.
struct Figures {
    what: &'static str,
    target: Duration,
    seen: Vec<Duration>,
}

impl Figures {
    fn of(what: &'static str, target: Duration) -> Figures {
        Figures { what, target, seen: Vec::new() }
    }

    fn add(&mut self, seen: Duration) {
        let limit = self.target * SLACK;
        assert!(seen <= limit, "{}: {seen:?}, the target is {:?}", self.what, self.target);
        self.seen.push(seen);
    }
}

impl Drop for Figures {
    fn drop(&mut self) {
        self.seen.sort();
        if let (Some(median), Some(worst)) = (self.seen.get(self.seen.len() / 2), self.seen.last())
        {
            let (n, what, target) = (self.seen.len(), self.what, self.target);
            eprintln!("{what}: median {median:.2?}, worst {worst:.2?} of {n}, target {target:?}");
        }
    }
}

async fn settled(world: &World, orders: &[Order]) -> i64 {
    let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
    let count = "select count(*) from orders where id = any($1) and status <> 'Pending'";
    match world.try_sql(count, &[&ids]).await {
        Ok(rows) => rows[0].get(0),
        Err(_) => 0,
    }
}

async fn first_settled(world: &World, orders: &[Order]) -> Instant {
    settled_past(world, orders, 0).await
}

async fn settled_past(world: &World, orders: &[Order], already: i64) -> Instant {
    eventually("the next order to be settled", LONG, async || {
        settled(world, orders).await > already
    })
    .await;
    Instant::now()
}

async fn all_settled(world: &World, orders: &[Order]) -> Instant {
    let all = i64::try_from(orders.len()).unwrap();
    eventually("all orders to be settled", LONG, async || settled(world, orders).await == all)
        .await;
    Instant::now()
}

async fn all_ready(world: &World) -> Instant {
    world.ready_within(LONG).await;
    Instant::now()
}

/// Waits for this time.
async fn lasting(downtime: Duration) {
    let began = Instant::now();
    eventually("the fault to last", LONG, async || began.elapsed() >= downtime).await;
}

#[tokio::test]
async fn the_unacked_requests_of_a_killed_worker_are_finished_by_others_at_once() {
    let mut world = World::builder()
        .workers(2)
        .env("ORDERS_PER_MESSAGE", "1")
        .worker_env("GATEWAY_LATENCY_MS", "200")
        .start()
        .await;
    let mut figures = Figures::of("a worker is killed: its orders are final", SECOND);
    for round in 0..rounds() {
        let orders = world.place_orders(40).await;
        world.worker(round).sigkill().await.unwrap();
        let killed = Instant::now();
        figures.add(all_settled(&world, &orders).await - killed);
        let worker = world.add_worker().await;
        world.worker(worker).ready(LONG).await.unwrap();
        balance(&world, &orders).await;
    }
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn the_orders_of_an_order_management_that_dies_before_it_publishes_are_relayed_by_another_at_once()
 {
    let world = World::builder().order_management(2).start().await;
    let mut figures = Figures::of("order-management is killed before it publishes", SECOND);
    let dying = world.order_management(0);
    for round in 0..rounds() {
        dying.sigkill().await.unwrap();
        let armed = ("CRASH_AT".to_owned(), "place_committed".to_owned());
        dying.start_again_with(&[armed]).unwrap();
        dying.ready(LONG).await.unwrap();
        let placing = world.http().post(world.url(0, "/orders")).json(&order_body("pm_card_visa"));
        assert!(world.try_send(placing).await.is_err(), "it dies between commit and answer");
        dying.wait_exit(LONG).await.unwrap();
        let died = Instant::now();
        let settled = "select count(*) from orders where status = 'Confirmed'";
        let wanted = i64::try_from(round).unwrap() + 1;
        eventually("the order to be final", LONG, async || world.count(settled).await == wanted)
            .await;
        figures.add(died.elapsed());
    }
    balance(&world, &[]).await;
}

/// Waits until every worker has ended a charge that it has not ended `before`.
async fn all_charge(world: &World, before: &[f64]) -> Instant {
    eventually("every worker to charge again", LONG, async || {
        charged(world).await.iter().zip(before).all(|(now, before)| now > before)
    })
    .await;
    Instant::now()
}

async fn charged(world: &World) -> Vec<f64> {
    let name = "ordermill_charges_total{outcome=\"captured\"}";
    let counts = (0..2).map(|i| counter(world, world.worker(i).ops_url("/metrics"), name));
    join_all(counts).await
}

enum End {
    Killed,
    Stopped,
}

/// Stops RabbitMQ with messages in its queues, and starts it again after `downtime`.
async fn broker_is_back(end: End, downtime: Duration, names: [&'static str; 3]) {
    let world = World::builder()
        .private_servers()
        .workers(2)
        .env("ORDERS_PER_MESSAGE", "1")
        .env("PREFETCH", "10")
        .worker_env("GATEWAY_LATENCY_MS", "300")
        .start()
        .await;
    let [mut first, mut ready, mut charge] = names.map(|name| Figures::of(name, 2 * SECOND));
    for _ in 0..rounds() {
        let mut orders = world.place_orders(100).await;
        match end {
            End::Killed => world.rabbitmq().kill().await.unwrap(),
            End::Stopped => world.rabbitmq().stop().await.unwrap(),
        }
        orders.extend(world.place_orders(20).await);
        lasting(downtime).await;
        let already = settled(&world, &orders).await;
        let before = charged(&world).await;
        let watch = async {
            eventually("RabbitMQ to answer", LONG, async || world.rabbitmq().answers().await).await;
            let answers = Instant::now();
            let ends = tokio::join!(
                settled_past(&world, &orders, already),
                all_ready(&world),
                all_charge(&world, &before)
            );
            (answers, ends)
        };
        let (started, (answers, ends)) = tokio::join!(world.rabbitmq().start_again(), watch);
        started.unwrap();
        first.add(ends.0 - answers);
        ready.add(ends.1 - answers);
        charge.add(ends.2 - answers);
        balance(&world, &orders).await;
    }
}

#[tokio::test]
async fn orders_go_on_at_once_when_the_broker_is_back() {
    let names = [
        "RabbitMQ is back: first settle",
        "RabbitMQ is back: all processes are ready",
        "RabbitMQ is back: every worker charges",
    ];
    broker_is_back(End::Killed, SECOND, names).await;
}

#[tokio::test]
async fn orders_go_on_at_once_when_the_broker_was_restarted_in_good_order() {
    let names = [
        "RabbitMQ was restarted: first settle",
        "RabbitMQ was restarted: all processes are ready",
        "RabbitMQ was restarted: every worker charges",
    ];
    broker_is_back(End::Stopped, Duration::ZERO, names).await;
}

#[tokio::test]
async fn orders_go_on_at_once_when_the_broker_is_back_after_a_long_time() {
    let names = [
        "RabbitMQ is back after 30 s: first settle",
        "RabbitMQ is back after 30 s: all processes are ready",
        "RabbitMQ is back after 30 s: every worker charges",
    ];
    broker_is_back(End::Killed, 30 * SECOND, names).await;
}

#[tokio::test]
async fn orders_go_on_at_once_when_the_database_is_back() {
    let world = World::builder()
        .private_servers()
        .workers(2)
        .worker_env("GATEWAY_LATENCY_MS", "500")
        .start()
        .await;
    let mut figures = Figures::of("PostgreSQL is back: first settle", 2 * SECOND);
    for _ in 0..rounds() {
        let orders = world.place_orders(40).await;
        world.postgres().kill().await.unwrap();
        lasting(2 * SECOND).await;
        let (started, (answers, settled)) = tokio::join!(world.postgres().start_again(), async {
            eventually("PostgreSQL to answer", LONG, async || {
                world.try_count("select 1::bigint").await
            })
            .await;
            (Instant::now(), first_settled(&world, &orders).await)
        });
        started.unwrap();
        figures.add(settled - answers);
        balance(&world, &orders).await;
    }
}

/// The number of a process's connections to the broker so far.
async fn connects(world: &World, url: String) -> [f64; 2] {
    let counted = async |role| {
        let name = format!("ordermill_broker_connects_total{{role=\"{role}\"}}");
        counter(world, url.clone(), &name).await
    };
    [counted("publish").await, counted("consume").await]
}

#[tokio::test]
async fn a_connection_to_the_broker_that_fell_silent_is_left_within_two_heartbeats() {
    let world = World::builder().proxied().start().await;
    let mut figures = Figures::of("a silent broker is left for a new connection", 10 * SECOND);
    let mut orders_go_on = Figures::of("a silent broker: orders placed meanwhile", 15 * SECOND);
    for _ in 0..rounds() {
        for worker in [false, true] {
            let (link, process) = if worker {
                (&world.links().workers, world.worker(0))
            } else {
                (&world.links().order_management, world.order_management(0))
            };
            let url = || process.ops_url("/metrics");
            let before = connects(&world, url()).await;
            link.broker.black_hole_once();
            let silent = Instant::now();
            let orders = world.place_orders(10).await;
            eventually("both connections to be made anew", LONG, async || {
                let now = connects(&world, url()).await;
                now[0] > before[0] && now[1] > before[1]
            })
            .await;
            figures.add(silent.elapsed());
            orders_go_on.add(all_settled(&world, &orders).await - silent);
        }
    }
}

#[tokio::test]
async fn connections_to_the_database_that_fell_silent_are_left_within_the_statement_timeout() {
    let world = World::builder().proxied().start().await;
    // The statement timeout, a second of grace, a new connection, and the processing of an order.
    let mut shop = Figures::of("a silent database, order-management: next 201", 7 * SECOND);
    let mut payments = Figures::of("a silent database, worker: an order is settled", 7 * SECOND);
    for _ in 0..rounds() {
        balance(&world, &world.place_orders(60).await).await;
        world.links().order_management.database.black_hole_once();
        let silent = Instant::now();
        let order = first_order(&world).await;
        shop.add(silent.elapsed());
        balance(&world, &[order]).await;

        world.links().workers.database.black_hole_once();
        let silent = Instant::now();
        let order = world.place_order().await;
        payments.add(all_settled(&world, &[order]).await - silent);
    }
}

#[tokio::test]
async fn orders_go_on_when_a_frozen_broker_goes_on() {
    let world = World::builder().private_servers().workers(2).start().await;
    let mut figures = Figures::of("RabbitMQ goes on after 20 s frozen: first settle", 2 * SECOND);
    for _ in 0..rounds() {
        let pid = world.rabbitmq().pid().unwrap();
        kill(pid, Signal::SIGSTOP).unwrap();
        let orders = world.place_orders(40).await;
        lasting(20 * SECOND).await;
        kill(pid, Signal::SIGCONT).unwrap();
        let goes_on = Instant::now();
        figures.add(first_settled(&world, &orders).await - goes_on);
        balance(&world, &orders).await;
    }
}

#[tokio::test]
async fn orders_go_on_when_a_frozen_database_goes_on() {
    let world = World::builder()
        .private_servers()
        .workers(2)
        .worker_env("GATEWAY_LATENCY_MS", "500")
        .start()
        .await;
    let mut figures = Figures::of("PostgreSQL goes on after 20 s frozen: first settle", 2 * SECOND);
    for _ in 0..rounds() {
        let orders = world.place_orders(40).await;
        world.postgres().signal_all(Signal::SIGSTOP).unwrap();
        let refused = world.place(order_body("pm_card_visa")).await;
        assert_eq!(refused.status, 503, "{}", refused.text);
        lasting(8 * SECOND).await;
        world.postgres().signal_all(Signal::SIGCONT).unwrap();
        let goes_on = Instant::now();
        figures.add(first_settled(&world, &orders).await - goes_on);
        balance(&world, &orders).await;
    }
}
