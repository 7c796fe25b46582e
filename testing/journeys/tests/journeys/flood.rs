//! Ten thousand malformed messages on both queues, mixed with good ones: every bad message is
//! dead-lettered unchanged and with its reason, no other message is, and every order ends as it
//! would without them (P2, P6, P10).
//!
//! `FLOOD_MESSAGES` and `FLOOD_SEED` set the length and the seed of a run.

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

use super::ledger::{LONG, balance};
use bodies::DeadLetter;
use chance::Chance;

const MESSAGES: u64 = 10_000;
const SEED: u64 = 1;
/// Messages that are published before their confirms are awaited.
const BATCH: usize = 250;
/// Bound of a process's peak memory. An idle process has 30 MB.
const MEMORY_MAX_KB: u64 = 400_000;

type DeadLetters = BTreeMap<DeadLetter, usize>;

#[expect(clippy::disallowed_methods, reason = "a knob of the test, not a setting of a program")]
fn knob(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

#[tokio::test]
async fn ten_thousand_strange_messages_are_dead_lettered_each_with_its_reason_and_no_order_suffers()
{
    let seed = knob("FLOOD_SEED", SEED);
    eprintln!("FLOOD_SEED={seed}");
    let world = World::start().await;
    let mut orders = world.place_orders(50).await;
    // The forged results below repeat the real ones.
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
        let found = dead_letters_in(&world, &dead, wanted).await;
        assert!(found == expected, "{}", difference(&found, &expected));
        eventually(&format!("{queue} to be empty"), LONG, async || {
            world.queue_depth(queue).await == 0
        })
        .await;
    }
    world.processes().for_each(unharmed);
    assert_eq!(world.eventually_settled(&world.place_order().await).await.status, "Confirmed");
}

/// Publishes the messages, and returns the expected dead letters of each queue.
async fn flood(
    world: &World,
    mut chance: Chance,
    orders: &[Order],
) -> BTreeMap<&'static str, DeadLetters> {
    let (_connection, channel) = world.channel().await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let mut expected: BTreeMap<_, DeadLetters> = BTreeMap::new();
    let mut sent = Vec::new();
    for n in 1..=knob("FLOOD_MESSAGES", MESSAGES) {
        let body = bodies::any(&mut chance, orders);
        let properties = properties::any(&mut chance).with_delivery_mode(2);
        let to = body.queue.into();
        let publish = channel.basic_publish("".into(), to, options, &body.bytes, properties);
        sent.push(publish.await.unwrap());
        let letters = expected.entry(body.queue).or_default();
        body.dead.into_iter().for_each(|dead| *letters.entry(dead).or_default() += 1);
        if sent.len() == BATCH || n == knob("FLOOD_MESSAGES", MESSAGES) {
            for confirmed in join_all(sent.drain(..)).await {
                assert_eq!(confirmed.unwrap(), Confirmation::Ack(None));
            }
        }
    }
    expected
}

/// The contents of a dead-letter queue, by reason and body.
async fn dead_letters_in(world: &World, queue: &str, count: u32) -> DeadLetters {
    let (_connection, channel) = world.channel().await;
    // A quorum queue delivers at most 2000 messages to a consumer that does not ack.
    let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let table = FieldTable::default();
    let consumer = channel.basic_consume(queue.into(), "".into(), options, table).await.unwrap();
    let mut letters = DeadLetters::new();
    let mut deliveries = consumer.take(usize::try_from(count).unwrap());
    while let Some(delivery) = deliveries.next().await {
        let delivery = delivery.unwrap();
        let reason = noted(&delivery.properties);
        *letters.entry((reason, delivery.data)).or_default() += 1;
    }
    letters
}

/// The reason of a dead letter, after a check of its other headers.
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

/// Up to ten unexpected and missing dead letters.
fn difference(found: &DeadLetters, expected: &DeadLetters) -> String {
    let all = found.keys().chain(expected.keys().filter(|dead| !found.contains_key(*dead)));
    let count =
        |letters: &DeadLetters, dead: &DeadLetter| letters.get(dead).copied().unwrap_or_default();
    let other = all.filter(|dead| count(found, dead) != count(expected, dead));
    let line = |dead: &DeadLetter| {
        let body: String = String::from_utf8_lossy(&dead.1).chars().take(300).collect();
        let (is, wanted) = (count(found, dead), count(expected, dead));
        format!("{} {body:?}: dead-lettered {is} times instead of {wanted}", dead.0)
    };
    other.map(line).take(10).collect::<Vec<_>>().join("\n")
}

/// Checks that the process runs, never panicked, never lost its connection, and has not grown.
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
