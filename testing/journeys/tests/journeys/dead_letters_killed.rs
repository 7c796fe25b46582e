//! Replays and discards while processes die and other sessions interfere: no dead letter is lost,
//! and the record names those that may have been replayed twice.

use std::collections::BTreeMap;

use serde_json::json;
use testkit::world::World;

use super::operator::{DEAD_REQUESTS, REQUESTS, all_of, ask, command, eventually_deep};
use super::operator::{
    dead_letter, eventually_listed, held, hold, kill_held, listed, tell, try_tell,
};

const BEGUN: &str = "select count(*) from dead_letter_actions where outcome = 'begun'";

/// The number of copies of each body in a queue.
async fn bodies(world: &World, queue: &str) -> BTreeMap<Vec<u8>, usize> {
    let mut bodies = BTreeMap::new();
    for message in world.messages_in(queue).await {
        *bodies.entry(message.delivery.data).or_default() += 1;
    }
    bodies
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("letter {n}")).collect()
}

#[tokio::test]
async fn a_replay_of_many_that_is_killed_in_the_middle_loses_none_and_is_finished_by_another() {
    const LETTERS: usize = 900;
    let world = World::builder().workers(0).start().await;
    dead_letter(&world, DEAD_REQUESTS, "unreadable", &numbered(LETTERS)).await;
    // Some are replayed, and the copies of one batch are stored while its record is unfinished.
    hold(&world, "update", 400).await;
    let replaying = try_tell(&world, 0, "/dead-letters/replay", all_of("unreadable"));
    let (reply, ()) = tokio::join!(replaying, kill_held(&world));
    assert!(reply.is_err());

    let begun = usize::try_from(world.count(BEGUN).await).unwrap();
    assert!((1..=LETTERS / 2).contains(&begun), "{begun}");
    let there = usize::try_from(world.queue_depth(REQUESTS).await).unwrap();
    eventually_deep(&world, DEAD_REQUESTS, LETTERS - there + begun).await;
    let (mut all, dead) = (bodies(&world, REQUESTS).await, bodies(&world, DEAD_REQUESTS).await);
    all.extend(dead);
    assert_eq!(all.len(), LETTERS, "lost in between");

    world.order_management(0).start_again().unwrap();
    world.ready().await;
    eventually_deep(&world, DEAD_REQUESTS, LETTERS - there + begun).await;
    let reply = tell(&world, 0, "/dead-letters/replay", all_of("unreadable")).await;

    let rest = LETTERS - there + begun;
    assert_eq!(reply.json(), json!({"replayed": rest, "more": false}), "{}", reply.text);
    eventually_deep(&world, DEAD_REQUESTS, 0).await;
    eventually_deep(&world, REQUESTS, LETTERS + begun).await;
    let all = bodies(&world, REQUESTS).await;
    assert_eq!((all.len(), all.values().filter(|n| **n == 2).count()), (LETTERS, begun));
    let told = "select count(*) from (select letter_id from dead_letter_actions
                 group by letter_id having count(*) = 2 and bool_or(outcome = 'begun')) twice";
    assert_eq!(usize::try_from(world.count(told).await), Ok(begun), "the record has each of them");
}

#[tokio::test]
async fn a_discard_that_is_killed_leaves_the_dead_letter_in_its_queue_or_in_the_record() {
    let world = World::builder().workers(0).start().await;
    dead_letter(&world, DEAD_REQUESTS, "unreadable", &numbered(1)).await;
    let letter = eventually_listed(&world, "", 1).await.remove(0);
    let path = format!("/dead-letters/{}/discard", letter["id"].as_str().unwrap());
    let killed_at = async |what: &str| {
        hold(&world, what, 0).await;
        let discard = try_tell(&world, 0, &path, json!({"by": "anna", "note": "junk"}));
        let (reply, ()) = tokio::join!(discard, kill_held(&world));
        assert!(reply.is_err());
        world.order_management(0).start_again().unwrap();
        world.ready().await;
    };

    killed_at("insert").await;
    let again = eventually_listed(&world, "", 1).await.remove(0);
    assert_eq!(again["id"], letter["id"], "nothing was recorded, so it is still there");

    killed_at("update").await;
    assert_eq!(listed(&world, "").await.len(), 0);
    let actions = ask(&world, 0, "/dead-letters/actions").await.json();
    let (id, outcome) = (&actions["data"][0]["id"], &actions["data"][0]["outcome"]);
    assert_eq!(outcome, "begun", "the process died before the end");
    let kept = ask(&world, 0, &format!("/dead-letters/actions/{}", id.as_str().unwrap())).await;
    assert_eq!(kept.json()["body"], "letter 0");
}

#[tokio::test]
async fn a_dead_letter_whose_copy_finds_no_queue_stays() {
    let world = World::builder().workers(0).start().await;
    dead_letter(&world, DEAD_REQUESTS, "unreadable", &numbered(3)).await;
    hold(&world, "insert", 0).await;
    let away = async {
        held(&world).await;
        let (connection, channel) = world.channel().await;
        channel.queue_delete(REQUESTS.into(), Default::default()).await.unwrap();
        world.sql("insert into released values (true)").await;
        drop(connection);
    };

    let replaying = tell(&world, 0, "/dead-letters/replay", all_of("unreadable"));
    let (reply, ()) = tokio::join!(replaying, away);

    assert_eq!(reply.status, 503, "{}", reply.text);
    assert_eq!(reply.json()["type"], "urn:ordermill:problem:replay-not-confirmed");
    let failed = "select count(*) from dead_letter_actions where outcome = 'failed'";
    assert_eq!(world.count(failed).await, 3);
    eventually_listed(&world, "", 3).await;
    let reply = tell(&world, 0, "/dead-letters/replay", all_of("unreadable")).await;
    assert_eq!(reply.json(), json!({"replayed": 3, "more": false}), "{}", reply.text);
    eventually_deep(&world, REQUESTS, 3).await;
}

#[tokio::test]
async fn two_replays_at_once_replay_each_dead_letter_once_and_a_refusal_names_the_session_in_progress()
 {
    const LETTERS: usize = 1000;
    let world = World::builder().order_management(2).workers(0).start().await;
    dead_letter(&world, DEAD_REQUESTS, "unreadable", &numbered(LETTERS)).await;
    let replay = |i| tell(&world, i, "/dead-letters/replay", all_of("unreadable"));

    let (one, other) = tokio::join!(replay(0), replay(1));

    // On a slow machine the second session may have stopped waiting.
    assert!([one.status, other.status].iter().all(|s| [200, 409].contains(s)), "{}", other.text);
    let replayed = |reply: &testkit::world::Reply| reply.json()["replayed"].as_u64().unwrap_or(0);
    let both = replayed(&one) + replayed(&other);
    assert_eq!(usize::try_from(both), Ok(LETTERS), "{} {}", one.text, other.text);
    eventually_deep(&world, REQUESTS, LETTERS).await;
    assert_eq!(bodies(&world, REQUESTS).await.len(), LETTERS);

    dead_letter(&world, DEAD_REQUESTS, "unreadable", &numbered(1)).await;
    hold(&world, "insert", 0).await;
    let asked = async {
        held(&world).await;
        let refused = tokio::join!(ask(&world, 1, "/dead-letters"), command(&world, &["list"]));
        world.sql("insert into released values (true)").await;
        refused
    };
    let (done, (refused, (code, said))) = tokio::join!(replay(0), asked);
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(
        refused.json()["detail"].as_str().unwrap().contains("replay by anna"),
        "{}",
        refused.text
    );
    assert_eq!((code, said.contains("replay by anna")), (4, true), "{said}");
}
