//! The checks at the end of every journey.

use std::time::Duration;

use reqwest::Method;
use testkit::eventually;
use testkit::processes::Process;
use testkit::world::{Order, World, order_body};

/// Timeout in which a server comes back and a backlog is processed on a busy machine.
pub(super) const LONG: Duration = Duration::from_secs(120);

const BROKEN: &str = "
    select count(*) from orders o
      left join (select order_id, count(*) as n from simulated_gateway.captures group by 1) c
             on c.order_id = o.id
     where (o.status = 'Confirmed') is distinct from (coalesce(c.n, 0) = 1) or coalesce(c.n, 0) > 1";

const STRAY: &str = "
    select count(*) from simulated_gateway.captures c
     where not exists (select 1 from orders o where o.id = c.order_id)";

/// Waits until every order of the world is final and every result has been read, then compares the
/// orders with the gateway's ledger: confirmed if and only if the money was captured, and captured
/// at most once (P2). Every order of `accepted` exists (P1).
pub(super) async fn balance(world: &World, accepted: &[Order]) {
    world.eventually_all_settled(LONG).await;
    eventually("the outbox to be empty", LONG, async || {
        match world.try_sql("select count(*) from outbox", &[]).await {
            Ok(rows) => match rows[0].get::<_, i64>(0) {
                0 => Ok(()),
                left => Err(format!("{left} left")),
            },
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
    let ids: Vec<_> = accepted.iter().map(|order| order.id).collect();
    let found = world.sql_with("select count(*) from orders where id = any($1)", &[&ids]).await;
    assert_eq!(found[0].get::<_, i64>(0), i64::try_from(ids.len()).unwrap(), "orders were lost");
    assert_eq!(world.count(BROKEN).await, 0, "an order was charged wrongly");
    assert_eq!(world.count(STRAY).await, 0, "money was captured for no order");
}

/// Places an order as soon as PostgreSQL is available.
pub(super) async fn first_order(world: &World) -> Order {
    eventually("the first 201", LONG, async || {
        let placing = world.request(Method::POST, "/orders").json(&order_body("pm_card_visa"));
        match world.try_send(placing).await {
            Ok(reply) if reply.status == 201 => Ok(Order::from_json(reply.json())),
            Ok(reply) => Err(reply.text),
            Err(error) => Err(error.to_string()),
        }
    })
    .await
}

/// Places an order like a client that repeats the request under its key until it gets a `201`.
pub(super) async fn place_stubbornly(world: &World, key: String) -> Order {
    let reply = eventually("a 201", LONG, async || {
        let request = world.request(Method::POST, "/orders").header("Idempotency-Key", &key);
        let reply = world.try_send(request.json(&order_body("pm_card_visa"))).await;
        match reply {
            Ok(reply) if reply.status == 201 => Ok(reply),
            Ok(reply) => {
                assert!([409, 503].contains(&reply.status), "{} {}", reply.status, reply.text);
                Err(reply.text)
            }
            Err(error) => Err(error.to_string()),
        }
    });
    Order::from_json(reply.await.json())
}

/// The value at `/metrics` for `wanted`, a name with some of its labels: the sum of all matching
/// series, or 0 without one.
pub(super) async fn counter(world: &World, ops_url: String, wanted: &str) -> f64 {
    let request = world.http().get(ops_url);
    let text = world.send(request).await.text;
    sum_of(&text, wanted)
}

/// [`counter`] for a text that was read already.
pub(super) fn sum_of(text: &str, wanted: &str) -> f64 {
    let (name, labels) = named(wanted);
    let series = text.lines().filter_map(|line| line.rsplit_once(' '));
    let fitting = series.filter(|(series, _)| {
        let (its_name, its_labels) = named(series);
        its_name == name && labels.iter().all(|label| its_labels.contains(label))
    });
    fitting.map(|(_, value)| value.parse::<f64>().unwrap()).sum()
}

/// A series' name and labels. No label value of Ordermill contains a comma.
fn named(series: &str) -> (&str, Vec<&str>) {
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    (name, labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty()).collect())
}

/// Waits until a counter of a process reaches `wanted`. Most counters grow a moment after the effect of
/// what they count is visible elsewhere.
pub(super) async fn eventually_counted(world: &World, process: &Process, name: &str, wanted: f64) {
    eventually(&format!("{name} of {} to be {wanted}", process.name()), LONG, async || {
        let seen = counter(world, process.ops_url("/metrics"), name).await;
        if seen >= wanted { Ok(()) } else { Err(seen) }
    })
    .await;
}

/// Waits until a process has logged a line with this text, and returns the line. Another thread than the
/// one that acts writes the lines.
pub(super) async fn eventually_logged(process: &Process, text: &str) -> String {
    eventually(&format!("{} to log {text}", process.name()), LONG, async || {
        let log = process.log();
        whole_lines(&log).find(|line| line.contains(text)).map(str::to_owned)
    })
    .await
}

/// The lines of a log without a last line that is still being written.
pub(super) fn whole_lines(log: &str) -> impl Iterator<Item = &str> {
    log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'))
}

/// Stops the services and waits for their ends: first the workers, since a running worker may reply once
/// more, then order-management, once it has received all results.
pub(super) async fn stop_services(world: &World) {
    stop_all(world, "worker").await;
    eventually("the results to be received", LONG, async || {
        world.queue_depth("processedorders").await == 0
    })
    .await;
    stop_all(world, "order-management").await;
}

async fn stop_all(world: &World, program: &str) {
    for process in world.processes().filter(|process| process.name().starts_with(program)) {
        process.sigterm().unwrap();
        let exit = process.wait_exit(LONG).await.unwrap();
        assert!(exit.success(), "{}: {exit:?}: {}", process.name(), process.log_tail());
    }
}

/// Waits until a counter of order-management 0 reaches `wanted`.
pub(super) async fn counted(world: &World, name: &str, wanted: f64) {
    eventually_counted(world, world.order_management(0), name, wanted).await;
}
