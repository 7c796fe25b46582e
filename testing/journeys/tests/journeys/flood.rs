//! Ten thousand messages that nobody sane would send, on both queues, with good ones in between:
//! every bad one is parked, as it was and with its reason, nothing else is, and every order gets
//! where it would have got without them (P2, P6, P10).
//!
//! `FLOOD_MESSAGES` and `FLOOD_SEED` are for longer runs and for another one.

mod bodies;
mod chance;
mod properties;

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Confirmation};
use testkit::eventually;
use testkit::processes::Process;
use testkit::world::{Order, World};

use super::books::{LONG, balance};
use bodies::Parked;
use chance::Chance;

const MESSAGES: u64 = 10_000;
const SEED: u64 = 1;
/// So many are published before their confirms are waited for.
const BATCH: usize = 250;
/// The most that a process may ever have had in memory. An idle one has 30 MB.
const MEMORY_MAX_KB: u64 = 400_000;

type Letters = BTreeMap<Parked, usize>;

#[expect(clippy::disallowed_methods, reason = "a knob of the test, not a setting of a program")]
fn knob(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

#[tokio::test]
async fn ten_thousand_strange_messages_are_parked_each_with_its_reason_and_no_order_suffers() {
    let seed = knob("FLOOD_SEED", SEED);
    eprintln!("FLOOD_SEED={seed}");
    let world = World::start().await;
    let mut orders = world.place_orders(50).await;
    // Their results are forged below, but only as they are.
    world.eventually_all_settled(LONG).await;

    let (expected, more) =
        tokio::join!(flood(&world, Chance::new(seed), &orders), world.place_orders(200));
    orders.extend(more);

    balance(&world, &orders).await;
    for (queue, expected) in expected {
        let dead = format!("{queue}.dead");
        let wanted = u32::try_from(expected.values().sum::<usize>()).unwrap();
        eventually(&format!("{wanted} letters in {dead}"), LONG, async || {
            let seen = world.queue_depth(&dead).await;
            if seen == wanted { Ok(()) } else { Err(seen) }
        })
        .await;
        let found = letters_in(&world, &dead, wanted).await;
        assert!(found == expected, "{}", difference(&found, &expected));
        eventually(&format!("{queue} to be empty"), LONG, async || {
            world.queue_depth(queue).await == 0
        })
        .await;
    }
    world.processes().for_each(unharmed);
    assert_eq!(world.eventually_settled(&world.place_order().await).await.status, "Confirmed");
}

/// Publishes it all, and comes back with what is to be parked behind each queue.
async fn flood(
    world: &World,
    mut chance: Chance,
    orders: &[Order],
) -> BTreeMap<&'static str, Letters> {
    let (_connection, channel) = world.channel().await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let mut expected: BTreeMap<_, Letters> = BTreeMap::new();
    let mut sent = Vec::new();
    for n in 1..=knob("FLOOD_MESSAGES", MESSAGES) {
        let body = bodies::any(&mut chance, orders);
        let properties = properties::any(&mut chance).with_delivery_mode(2);
        let to = body.queue.into();
        let publish = channel.basic_publish("".into(), to, options, &body.bytes, properties);
        sent.push(publish.await.unwrap());
        let letters = expected.entry(body.queue).or_default();
        body.parked.into_iter().for_each(|parked| *letters.entry(parked).or_default() += 1);
        if sent.len() == BATCH || n == knob("FLOOD_MESSAGES", MESSAGES) {
            for confirmed in join_all(sent.drain(..)).await {
                assert_eq!(confirmed.unwrap(), Confirmation::Ack(None));
            }
        }
    }
    expected
}

/// What lies in a dead-letter queue, by reason and body.
async fn letters_in(world: &World, queue: &str, count: u32) -> Letters {
    let (_connection, channel) = world.channel().await;
    // A quorum queue hands out 2000 at most to a reader that does not ack.
    let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let table = FieldTable::default();
    let consumer = channel.basic_consume(queue.into(), "".into(), options, table).await.unwrap();
    let mut letters = Letters::new();
    let mut deliveries = consumer.take(usize::try_from(count).unwrap());
    while let Some(delivery) = deliveries.next().await {
        let delivery = delivery.unwrap();
        let reason = noted(&delivery.properties);
        *letters.entry((reason, delivery.data)).or_default() += 1;
    }
    letters
}

/// The reason, after a look at everything else that a dead letter says.
fn noted(properties: &BasicProperties) -> &'static str {
    let headers = properties.headers().as_ref().unwrap().inner();
    assert!(
        matches!(headers["x-detail"], AMQPValue::LongString(ref why) if !why.as_bytes().is_empty())
    );
    assert!(matches!(headers["x-attempts"], AMQPValue::LongLongInt(1..)), "{headers:?}");
    assert!(headers.contains_key("x-first-at") && headers.contains_key("x-last-at"));
    assert_eq!((properties.expiration(), properties.user_id()), (&None, &None));
    let reason = headers["x-reason"].as_long_string().unwrap();
    let known = ["unreadable", "unknown_order"].into_iter();
    known.into_iter().find(|known| reason.as_bytes() == known.as_bytes()).unwrap()
}

/// Ten of what is too much or too little.
fn difference(found: &Letters, expected: &Letters) -> String {
    let all = found.keys().chain(expected.keys().filter(|parked| !found.contains_key(*parked)));
    let count =
        |letters: &Letters, parked: &Parked| letters.get(parked).copied().unwrap_or_default();
    let other = all.filter(|parked| count(found, parked) != count(expected, parked));
    let line = |parked: &Parked| {
        let body: String = String::from_utf8_lossy(&parked.1).chars().take(300).collect();
        let (is, wanted) = (count(found, parked), count(expected, parked));
        format!("{} {body:?}: parked {is} times instead of {wanted}", parked.0)
    };
    other.map(line).take(10).collect::<Vec<_>>().join("\n")
}

/// It runs, never panicked, never lost its connection, and has not grown.
fn unharmed(process: &Process) {
    assert!(process.is_running(), "{} has ended", process.name());
    assert!(!process.log_contains("panicked"), "{} panicked", process.name());
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid().unwrap()));
    let status = status.unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.map_or(0, |text| text.trim().trim_end_matches(" kB").parse().unwrap());
    eprintln!("{}: {peak} kB at most", process.name());
    assert!(peak < MEMORY_MAX_KB, "{} had {peak} kB", process.name());
}
