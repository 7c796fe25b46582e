//! All processes are restarted under load, behind a real load balancer with the settings of
//! `deploy/`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, Method, StatusCode};
use testkit::balancer::Balancer;
use testkit::eventually;
use testkit::world::{Order, World, WorldBuilder, order_body};

use super::ledger::{LONG, balance};

const CLIENTS: usize = 6;
const ROUNDS: usize = 3;
/// Bound of a stop: the delay, the drain time and a margin.
const STOP: Duration = Duration::from_secs(3 + 10 + 3);

fn two_behind_a_balancer() -> WorldBuilder {
    World::builder()
        .order_management(2)
        .workers(2)
        .order_management_env("SHUTDOWN_DELAY_MS", "3000")
}

/// The observations of one client.
#[derive(Default)]
struct Seen {
    orders: Vec<Order>,
    answers: usize,
    /// Every answer outside 2xx, and every broken connection.
    failures: Vec<String>,
}

impl Seen {
    fn note(&mut self, what: &str, outcome: reqwest::Result<StatusCode>) {
        match outcome {
            Ok(status) if status.is_success() => self.answers += 1,
            Ok(status) => self.failures.push(format!("{what}: {status}")),
            Err(error) => self.failures.push(format!("{what}: {error:?}")),
        }
    }
}

/// A client with one keep-alive connection, which alternately places an order and reads it. Every
/// fourth order has no key, so the load balancer must not send it twice.
async fn client(number: usize, balancer: &Balancer, ended: &AtomicBool) -> Seen {
    let http =
        Client::builder().no_proxy().pool_max_idle_per_host(1).timeout(LONG).build().unwrap();
    let mut seen = Seen::default();
    for n in 0.. {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        let mut placing = http.request(Method::POST, balancer.url("/orders"));
        let mut what = "POST without a key";
        if n % 4 != 0 {
            what = "POST with a key";
            placing = placing.header("Idempotency-Key", format!("{number}-{n}"));
        }
        let placed = placing.json(&order_body("pm_card_visa")).send().await;
        let answer = match placed {
            Ok(answer) => {
                seen.note(what, Ok(answer.status()));
                answer
            }
            Err(error) => {
                seen.note(what, Err(error));
                continue;
            }
        };
        if answer.status() != StatusCode::CREATED {
            continue;
        }
        let order = Order::from_json(answer.json().await.unwrap());
        let url = balancer.url(&format!("/orders/{}", order.id));
        seen.note("GET", http.get(url).send().await.map(|answer| answer.status()));
        seen.orders.push(order);
    }
    seen
}

/// Runs clients until `work` has ended.
async fn under_load(balancer: &Balancer, work: impl Future<Output = ()>) -> Seen {
    let ended = AtomicBool::new(false);
    let clients = join_all((0..CLIENTS).map(|number| client(number, balancer, &ended)));
    let (seen, ()) = tokio::join!(clients, async {
        work.await;
        ended.store(true, Ordering::Relaxed);
    });
    let mut all = Seen::default();
    for one in seen {
        all.orders.extend(one.orders);
        all.answers += one.answers;
        all.failures.extend(one.failures);
    }
    all
}

#[tokio::test]
async fn everything_is_restarted_one_by_one_under_load_and_no_request_fails() {
    let world = two_behind_a_balancer().start().await;
    let balancer = world.balance();
    balancer.sees_ready(2).await.unwrap();

    let seen = under_load(&balancer, async {
        for _ in 0..ROUNDS {
            for process in world.processes() {
                process.sigterm().unwrap();
                let exit = process.wait_exit(STOP).await.unwrap();
                assert!(exit.success(), "{}: {exit:?}", process.name());
                process.start_again().unwrap();
                process.ready(LONG).await.unwrap();
                balancer.sees_ready(2).await.unwrap();
            }
        }
    })
    .await;

    let again = balancer.sum("wretr").await.unwrap();
    println!("{} answers, {} failures, {again} sent again", seen.answers, seen.failures.len());
    assert_eq!(seen.failures, [""; 0], "{}", balancer.story());
    assert!(seen.orders.len() > 100, "only {} orders were placed", seen.orders.len());
    balance(&world, &seen.orders).await;
}

#[tokio::test]
async fn processes_that_are_killed_behind_a_balancer_cost_only_requests_without_a_key() {
    let world = two_behind_a_balancer().start().await;
    let balancer = world.balance();
    balancer.sees_ready(2).await.unwrap();

    let seen = under_load(&balancer, async {
        for _ in 0..ROUNDS {
            for i in 0..2 {
                let process = world.order_management(i);
                process.sigkill().await.unwrap();
                balancer.sees_ready(1).await.unwrap();
                process.start_again().unwrap();
                process.ready(LONG).await.unwrap();
                balancer.sees_ready(2).await.unwrap();
            }
        }
    })
    .await;

    let again = balancer.sum("wretr").await.unwrap();
    println!(
        "{} answers, {} failures in {} kills, {again} sent again: {:?}",
        seen.answers,
        seen.failures.len(),
        2 * ROUNDS,
        seen.failures
    );
    // A kill can lose at most the requests in flight without a key.
    assert!(seen.failures.len() <= 2 * ROUNDS * CLIENTS, "{:?}", seen.failures);
    // HAProxy answers 502, or closes the client's connection if it was not the first request on it.
    let unkeyed = |failure: &String| {
        let closed = failure.contains("IncompleteMessage");
        failure.starts_with("POST without a key: ") && (closed || failure.contains(": 502"))
    };
    assert!(seen.failures.iter().all(unkeyed), "{:?}", seen.failures);
    balance(&world, &seen.orders).await;
}

#[tokio::test]
async fn a_load_balancer_keeps_forwarding_while_the_broker_is_away() {
    let world = two_behind_a_balancer().private_servers().start().await;
    let balancer = world.balance();
    balancer.sees_ready(2).await.unwrap();

    let seen = under_load(&balancer, async {
        world.rabbitmq().kill().await.unwrap();
        let before = world.count("select count(*) from orders").await;
        eventually("orders to be placed without a broker", LONG, async || {
            world.count("select count(*) from orders").await > before + 20
        })
        .await;
        balancer.sees_ready(2).await.unwrap();
        world.rabbitmq().start_again().await.unwrap();
        balancer.sees_ready(2).await.unwrap();
    })
    .await;

    println!("{} answers, {} failures", seen.answers, seen.failures.len());
    assert_eq!(seen.failures, [""; 0], "{}", balancer.story());
    balance(&world, &seen.orders).await;
}

#[tokio::test]
async fn before_it_stops_a_process_is_not_ready_and_still_serves_until_a_second_signal() {
    let world = World::builder()
        .workers(0)
        .order_management_env("SHUTDOWN_DELAY_MS", "600000")
        .start()
        .await;
    let process = world.order_management(0);
    process.sigterm().unwrap();
    for url in [process.ops_url("/health/ready"), world.url(0, "/health/ready")] {
        eventually("the process to be not ready", LONG, async || {
            world.http().get(&url).send().await.unwrap().status() == 503
        })
        .await;
    }

    let reply = world.place(order_body("pm_card_visa")).await;

    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(reply.header("connection"), Some("close"), "the next request goes elsewhere");
    assert_eq!(world.get("/health/live").await.status, 200);
    process.sigterm().unwrap();
    let exit = process.wait_exit(Duration::from_secs(12)).await.unwrap();
    assert!(exit.success(), "{exit:?}");
}
