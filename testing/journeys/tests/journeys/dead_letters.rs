//! An operator's commands for dead letters.

use lapin::BasicProperties;
use lapin::options::BasicGetOptions;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;
use testkit::world::{Reply, World};
use uuid::Uuid;

use super::ledger::{LONG, counted};
use super::operator::{DEAD_REQUESTS, DEAD_RESULTS, REQUESTS, RESULTS, all_of, ask, command};
use super::operator::{dead_letter, eventually_deep, eventually_listed, listed, tell};

fn result_for(order: Uuid) -> String {
    json!({"orderId": order.to_string(), "paymentStatus": "successful"}).to_string()
}

async fn publish(world: &World, queue: &str, body: &str) {
    world.publish_raw(queue, body.as_bytes(), BasicProperties::default()).await;
}

const PLACED_ELSEWHERE: &str = "
    insert into orders (id, customer_id, product_id, total_minor, quantity, currency)
    select id, 1, 1, 19900, 1, 'USD' from unnest($1::uuid[]) as o (id)";

/// Starts a world with a dead letter of each kind; returns also the order of one of them, and the
/// unknown order of another.
async fn one_of_each_kind() -> (World, Uuid, Uuid) {
    let world = World::builder().workers(0).env("DELIVERY_LIMIT", "3").start().await;
    let order = world.place_order().await;
    eventually("the killer to be dead-lettered", LONG, async || {
        let (connection, channel) = world.channel().await;
        let taken = channel.basic_get(REQUESTS.into(), BasicGetOptions::default()).await;
        drop((channel, connection, taken));
        world.queue_depth(DEAD_REQUESTS).await == 1
    })
    .await;
    dead_letter(&world, DEAD_REQUESTS, "reader_panicked", &["\u{1b}[2Jpanic".to_owned()]).await;
    publish(&world, RESULTS, "nonsense").await;
    eventually_deep(&world, DEAD_RESULTS, 1).await;
    let unknown = Uuid::now_v7();
    publish(&world, RESULTS, &result_for(unknown)).await;
    eventually_deep(&world, DEAD_RESULTS, 2).await;
    (world, order.id, unknown)
}

#[tokio::test]
async fn every_kind_of_dead_letter_is_listed_and_shown_and_reading_changes_nothing() {
    let (world, order, unknown) = one_of_each_kind().await;

    let first = eventually_listed(&world, "", 4).await;
    let second = eventually_listed(&world, "", 4).await;

    let field = |letters: &[Value], name: &str| -> Vec<String> {
        letters.iter().map(|letter| letter[name].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(field(&first, "id"), field(&second, "id"), "same names, same order");
    let reasons = ["unreadable", "unknown_order", "delivery_limit", "reader_panicked"];
    assert_eq!(field(&first, "reason"), reasons);
    assert!(first[2]["detail"].as_str().unwrap().contains("readers that died"));
    assert!(first.iter().all(|letter| letter["parkedAt"].is_string()), "{first:?}");
    assert_eq!(first[1]["orderIds"], json!([unknown.to_string()]));
    assert_eq!(first[2]["orderIds"], json!([order.to_string()]));
    assert_eq!(listed(&world, &format!("queue={DEAD_RESULTS}")).await.len(), 2);
    assert_eq!(listed(&world, "reason=delivery_limit").await.len(), 1);
    let of_order = listed(&world, &format!("orderId={order}")).await;
    assert_eq!(field(&of_order, "id"), [first[2]["id"].as_str().unwrap()]);
    let short = ask(&world, 0, "/dead-letters?limit=1").await.json();
    assert_eq!((short["data"].as_array().unwrap().len(), &short["more"]), (1, &json!(true)));

    let id = first[2]["id"].as_str().unwrap();
    let shown = ask(&world, 0, &format!("/dead-letters/{id}")).await.json();
    assert_eq!(json!(shown["body"].as_str().unwrap().len()), shown["size"]);
    let state = json!([{"orderId": order.to_string(), "status": "Pending"}]);
    assert_eq!(shown["orderStates"], state);
    assert!(
        shown["properties"]["headers"]["x-death"].is_array() || shown["properties"].is_object()
    );

    let (code, list) = command(&world, &["list"]).await;
    assert_eq!((code, list.lines().count()), (0, 5), "{list}");
    let (code, json) = command(&world, &["show", id, "--json"]).await;
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["body"], shown["body"]);
    let (code, text) = command(&world, &["show", first[3]["id"].as_str().unwrap()]).await;
    assert_eq!(code, 0);
    assert!(text.contains("panic") && !text.contains('\u{1b}'), "{text}");
}

#[tokio::test]
async fn a_result_that_was_there_before_its_order_settles_it_when_it_is_replayed() {
    let world = World::builder().workers(0).start().await;
    let order = Uuid::now_v7();
    publish(&world, RESULTS, &result_for(order)).await;
    let letter = eventually_listed(&world, "reason=unknown_order", 1).await.remove(0);
    world.sql_with(PLACED_ELSEWHERE, &[&vec![order]]).await;

    let path = format!("/dead-letters/{}/replay", letter["id"].as_str().unwrap());
    let reply = tell(&world, 0, &path, json!({"by": "anna", "note": "restored"})).await;

    assert_eq!(reply.status, 200, "{}", reply.text);
    let action = reply.json();
    assert_eq!((&action["outcome"], &action["by"]), (&json!("done"), &json!("anna")));
    eventually("the order to be settled", LONG, async || {
        world.get_order(order).await.status == "Confirmed"
    })
    .await;
    assert_eq!(listed(&world, "").await.len(), 0);
    assert_eq!(tell(&world, 0, &path, json!({"by": "bob"})).await.status, 404, "it is gone");
    let kept = ask(&world, 0, "/dead-letters/actions").await.json();
    assert_eq!(kept["data"].as_array().unwrap().len(), 1, "{kept}");
    let kept = &kept["data"][0];
    assert_eq!((&kept["note"], &kept["letterId"]), (&json!("restored"), &letter["id"]));
    assert_eq!(kept["orderIds"], json!([order.to_string()]));
}

#[tokio::test]
async fn a_dead_letter_that_is_still_bad_comes_back_with_its_count_raised_and_can_be_discarded() {
    let world = World::builder().workers(0).start().await;
    publish(&world, RESULTS, "nonsense").await;
    let first = eventually_listed(&world, "", 1).await.remove(0);
    assert_eq!((&first["replays"], &first["attempts"]), (&json!(0), &json!(1)));
    let id = first["id"].as_str().unwrap();

    let (code, said) = command(&world, &["replay", id]).await;
    assert_eq!(code, 2, "--by is missing: {said}");
    let (code, said) = command(&world, &["replay", id, "--by", "anna"]).await;
    assert_eq!((code, said.contains("done")), (0, true), "{said}");

    counted(&world, "ordermill_dead_lettered_total{reason=\"unreadable\"}", 2.0).await;
    let second = eventually_listed(&world, "", 1).await.remove(0);
    assert_eq!((&second["replays"], &second["attempts"]), (&json!(1), &json!(2)));
    assert_eq!(second["firstAt"], first["firstAt"]);
    assert_ne!(second["id"], first["id"]);

    assert_eq!(command(&world, &["replay", id, "--by", "anna"]).await.0, 3, "the first is gone");
    let id = second["id"].as_str().unwrap();
    assert_eq!(command(&world, &["discard", id, "--by", "anna"]).await.0, 2, "without a note");
    let (code, said) = command(&world, &["discard", id, "--by", "bob", "--note", "junk"]).await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(command(&world, &["list"]).await.1.trim(), "no dead letters");
    assert_eq!(world.queue_depth(DEAD_RESULTS).await, 0);

    let (_, json) = command(&world, &["actions", "--json"]).await;
    let actions: Value = serde_json::from_str(&json).unwrap();
    let what: Vec<_> =
        actions.as_array().unwrap().iter().map(|a| (&a["action"], &a["by"])).collect();
    assert_eq!(what, [(&json!("discard"), &json!("bob")), (&json!("replay"), &json!("anna"))]);
    let discarded = actions[0]["id"].as_str().unwrap();
    let kept = ask(&world, 0, &format!("/dead-letters/actions/{discarded}")).await.json();
    assert_eq!((&kept["body"], &kept["outcome"]), (&json!("nonsense"), &json!("done")));
    assert_eq!(command(&world, &["action", discarded]).await.0, 0);
}

#[tokio::test]
async fn all_dead_letters_of_a_reason_are_replayed_once_though_some_come_back() {
    const UNKNOWN: usize = 3000;
    const UNREADABLE: usize = 450;
    let world = World::builder().workers(0).start().await;
    let orders: Vec<Uuid> = (0..UNKNOWN).map(|_| Uuid::now_v7()).collect();
    let results: Vec<String> = orders.iter().map(|order| result_for(*order)).collect();
    let nonsense: Vec<String> = (0..UNREADABLE).map(|n| format!("nonsense {n}")).collect();
    let (before, behind) = nonsense.split_at(UNREADABLE - 50);
    dead_letter(&world, DEAD_RESULTS, "unreadable", before).await;
    dead_letter(&world, DEAD_RESULTS, "unknown_order", &results).await;
    dead_letter(&world, DEAD_RESULTS, "unreadable", behind).await;
    world.sql_with(PLACED_ELSEWHERE, &[&orders]).await;

    let few = json!({"by": "anna", "reason": "unknown_order", "limit": 10});
    let reply = tell(&world, 0, "/dead-letters/replay", few).await.json();
    assert_eq!(reply, json!({"replayed": 10, "more": true}));
    let reply = tell(&world, 0, "/dead-letters/replay", all_of("unknown_order")).await;
    assert_eq!(reply.json(), json!({"replayed": UNKNOWN - 10, "more": false}), "{}", reply.text);

    world.eventually_all_settled(LONG).await;
    eventually_deep(&world, DEAD_RESULTS, UNREADABLE).await;
    let reply = tell(&world, 0, "/dead-letters/replay", all_of("unreadable")).await;
    assert_eq!(reply.json(), json!({"replayed": UNREADABLE, "more": false}), "{}", reply.text);
    eventually_deep(&world, DEAD_RESULTS, UNREADABLE).await;
    let back = eventually_listed(&world, "limit=500", UNREADABLE).await;
    assert!(back.iter().all(|letter| letter["replays"] == 1), "one replay each");
    let done =
        "select count(*) from dead_letter_actions where outcome = 'done' and done_by = 'anna'";
    assert_eq!(usize::try_from(world.count(done).await), Ok(UNKNOWN + UNREADABLE));
}

#[tokio::test]
async fn a_wrong_query_is_answered_with_the_valid_ones() {
    let world = World::builder().workers(0).start().await;
    for (path, status) in [
        ("/dead-letters?queue=orders", 422),
        ("/dead-letters?limit=0", 422),
        ("/dead-letters?orderId=1", 422),
        ("/dead-letters?page=2", 422),
        ("/dead-letters/nonsense", 404),
        ("/dead-letters/00000000000000000000000000000000", 404),
        ("/dead-letters/actions?cursor=x", 422),
        ("/dead-letters/actions?letterId=x", 422),
        ("/dead-letters/actions/x", 404),
        ("/dead-letters/replay", 405),
        ("/nowhere", 404),
    ] {
        let reply = ask(&world, 0, path).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{path}");
        assert_eq!(reply.header("x-request-id"), reply.json()["requestId"].as_str(), "{path}");
    }
    let document = ask(&world, 0, "/api-docs/openapi.json").await.json();
    assert_eq!(document["paths"].as_object().unwrap().len(), 7);
    assert_eq!(ask(&world, 0, "/swagger-ui/").await.status, 200);
    assert_eq!(ask(&world, 0, "/metrics").await.status, 200);
}

#[tokio::test]
async fn a_wrong_command_is_answered_with_the_valid_ones_and_changes_nothing() {
    let world = World::builder().workers(0).start().await;
    let discard = "/dead-letters/00000000000000000000000000000000/discard";
    for (path, body, field) in [
        ("/dead-letters/replay", json!({"reason": "unreadable"}), "by"),
        ("/dead-letters/replay", json!({"by": "anna"}), "reason"),
        ("/dead-letters/replay", json!({"by": "a", "reason": "x", "limit": 0}), "limit"),
        ("/dead-letters/replay", json!({"by": "a", "queue": "x"}), "queue"),
        ("/dead-letters/replay", json!({"by": 1, "reason": "x"}), "by"),
        (discard, json!({"by": "anna"}), "note"),
        (discard, json!({"by": " ", "note": "x"}), "by"),
        (discard, json!({"by": "anna", "note": "x", "body": "y"}), "body"),
    ] {
        let reply = tell(&world, 0, path, body.clone()).await;
        assert_eq!(
            (reply.status, &reply.json()["errors"][0]["field"]),
            (422, &json!(field)),
            "{body}"
        );
    }
    let right = json!({"by": "anna", "note": "x"});
    assert_eq!(tell(&world, 0, discard, right).await.status, 404);
    assert_eq!(world.count("select count(*) from dead_letter_actions").await, 0);

    for wrong in [
        &["shred"][..],
        &[],
        &["list", "x"],
        &["show"],
        &["show", "x"],
        &["replay", "--by", "anna"],
        &["replay", "--by", "anna", "--order", "x"],
        &["list", "--limit", "many"],
        &["list", "--queue", "orders"],
    ] {
        let (code, said) = command(&world, wrong).await;
        assert_eq!((code, said.contains("--help")), (2, true), "{wrong:?}: {said}");
    }
    assert_eq!(command(&world, &["--help"]).await.0, 0);
}

async fn tell_under(world: &World, key: &str, path: &str, body: &Value) -> Reply {
    let url = world.order_management(0).ops_url(path);
    let request = world.http().request(Method::POST, url).header("Idempotency-Key", key);
    world.send(request.json(body)).await
}

#[tokio::test]
async fn an_action_under_a_key_is_carried_out_once() {
    let world = World::builder().workers(0).start().await;
    let bodies: Vec<String> = (0..5).map(|n| format!("nonsense {n}")).collect();
    dead_letter(&world, DEAD_RESULTS, "unreadable", &bodies).await;
    let letters = eventually_listed(&world, "", 5).await;
    let id = letters[0]["id"].as_str().unwrap();
    let (path, by) = (format!("/dead-letters/{id}/discard"), json!({"by": "anna", "note": "7"}));

    let first = tell_under(&world, "k", &path, &by).await;
    let again = tell_under(&world, "k", &path, &by).await;
    let other = tell_under(&world, "k", &path, &json!({"by": "bob", "note": "7"})).await;

    assert_eq!((first.status, again.status), (200, 200), "{}", again.text);
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(other.json()["type"], "urn:ordermill:problem:idempotency-key-reused");
    assert_eq!(tell(&world, 0, &path, by).await.status, 404, "without a key");

    let all = all_of("unreadable");
    let replayed = tell_under(&world, "k", "/dead-letters/replay", &all).await;
    assert_eq!((replayed.status, &replayed.json()["replayed"]), (200, &json!(4)));
    eventually_listed(&world, "", 4).await;
    let again = tell_under(&world, "k", "/dead-letters/replay", &all).await;
    assert_eq!((again.status, &again.text), (200, &replayed.text), "those that came back stay");
    let actions = ask(&world, 0, "/dead-letters/actions").await.json();
    assert_eq!(actions["data"].as_array().unwrap().len(), 5);
}
