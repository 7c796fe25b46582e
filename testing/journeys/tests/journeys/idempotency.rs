//! The same key gives the first answer and no second order, for ever (P7).

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::world::{Order, Reply, World, order_body};

use super::ledger::balance;

async fn place(world: &World, i: usize, key: &str, body: &Value) -> Reply {
    let request = world.http().request(Method::POST, world.url(i, "/orders"));
    world.send(request.header("Idempotency-Key", key).json(body)).await
}

#[tokio::test]
async fn a_repeated_key_gives_the_first_answer_also_after_the_order_is_final_and_a_restart() {
    let world = World::start().await;
    let body = order_body("pm_card_visa");
    let first = place(&world, 0, "key-1", &body).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
    let order = Order::from_json(first.json());
    world.eventually_settled(&order).await;
    world.order_management(0).sigkill().await.unwrap();
    world.order_management(0).start_again().unwrap();
    world.ready().await;

    let again = place(&world, 0, "key-1", &body).await;

    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(world.count("select count(*) from orders").await, 1);
}

#[tokio::test]
async fn a_key_that_was_used_for_another_order_is_refused() {
    let world = World::start().await;
    let first = place(&world, 0, "key-1", &order_body("pm_card_visa")).await;
    assert_eq!(first.status, 201);

    let other = place(&world, 0, "key-1", &order_body("pm_card_mastercard")).await;

    assert_eq!(other.status, 422, "{}", other.text);
    assert_eq!(other.json()["type"], "urn:ordermill:problem:idempotency-key-reused");
    assert_eq!(world.count("select count(*) from orders").await, 1);
}

#[tokio::test]
async fn many_requests_with_the_same_keys_at_the_same_time_place_one_order_a_key() {
    let world = World::builder().order_management(2).start().await;
    let body = order_body("pm_card_visa");
    let keys: Vec<String> = (0..10).map(|n| format!("key-{n}")).collect();
    let calls = (0..200).map(|n| place(&world, n % 2, &keys[n % 10], &body));

    let replies = join_all(calls).await;

    for (n, reply) in replies.iter().enumerate() {
        assert!([201, 409].contains(&reply.status), "{n}: {} {}", reply.status, reply.text);
    }
    let mut placed: Vec<Order> = replies
        .iter()
        .filter(|reply| reply.status == 201)
        .map(|reply| Order::from_json(reply.json()))
        .collect();
    placed.sort_by_key(|order| order.id);
    placed.dedup_by_key(|order| order.id);
    assert_eq!(placed.len(), 10);
    assert_eq!(world.count("select count(*) from orders").await, 10);
    balance(&world, &placed).await;
}

/// A `POST` under a key, with a body of its own for each path.
async fn post(world: &World, path: &str, key: &str, body: Option<&Value>) -> Reply {
    post_to(world, world.url(0, path), key, body).await
}

async fn post_to(world: &World, url: String, key: &str, body: Option<&Value>) -> Reply {
    let request = world.http().request(Method::POST, url);
    let request = request.header("Idempotency-Key", key);
    world.send(body.iter().fold(request, |request, body| request.json(*body))).await
}

/// The collections with two bodies each.
fn collections() -> [(&'static str, Value, Value); 2] {
    [
        ("/products", json!({"name": "Saber", "price": 5}), json!({"name": "Saber", "price": 6})),
        (
            "/customers",
            json!({"name": "Leia", "email": "l@a.org"}),
            json!({"name": "Leia", "email": "leia@a.org"}),
        ),
    ]
}

#[tokio::test]
async fn a_key_works_on_every_post() {
    let world = World::builder().workers(0).start().await;
    for (path, body, other) in collections() {
        let first = post(&world, path, "k", Some(&body)).await;
        assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
        let one = first.header("location").unwrap().to_owned();
        let patch = world.request(Method::PATCH, &one).header("If-Match", "*");
        world.send(patch.json(&json!({"name": "Other"}))).await;
        world.send(world.request(Method::DELETE, &one)).await;
        world.order_management(0).sigkill().await.unwrap();
        world.order_management(0).start_again().unwrap();
        world.ready().await;

        let again = post(&world, path, "k", Some(&body)).await;
        let reused = post(&world, path, "k", Some(&other)).await;

        assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
        assert_eq!((&again.text, again.header("location")), (&first.text, Some(&*one)));
        assert_eq!(again.header("etag"), first.header("etag"));
        assert_eq!(reused.status, 422, "{}", reused.text);
        assert_eq!(reused.json()["type"], "urn:ordermill:problem:idempotency-key-reused");

        let restore = format!("{one}/restore");
        let restored = post(&world, &restore, "r", None).await;
        assert_eq!(restored.status, 200, "{}", restored.text);
        world.send(world.request(Method::DELETE, &one)).await;
        let again = post(&world, &restore, "r", None).await;
        assert_eq!((again.status, &again.text), (200, &restored.text));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert!(world.get(&one).await.json()["archivedAt"].is_string(), "archived since");
        let reused = post(&world, &format!("{path}/1/restore"), "r", None).await;
        assert_eq!(reused.json()["type"], "urn:ordermill:problem:idempotency-key-reused");
        for wrong in ["", "with space", &"x".repeat(256)] {
            let refused = post(&world, path, wrong, Some(&body)).await;
            assert_eq!(
                (refused.status, &refused.json()["errors"][0]["field"]),
                (422, &json!("Idempotency-Key"))
            );
        }
    }
    assert_eq!(world.count("select count(*) from products").await, 2);
    assert_eq!(world.count("select count(*) from customers").await, 2);
}

#[tokio::test]
async fn many_posts_with_the_same_keys_at_the_same_time_have_one_effect_a_key() {
    let world = World::builder().workers(0).order_management(2).start().await;
    let keys: Vec<String> = (0..10).map(|n| format!("key-{n}")).collect();
    for (path, body, _) in collections() {
        let calls =
            (0..100).map(|n| post_to(&world, world.url(n % 2, path), &keys[n % 10], Some(&body)));
        let replies = join_all(calls).await;
        let mut ids = std::collections::BTreeSet::new();
        for reply in &replies {
            match reply.status {
                201 => drop(ids.insert(reply.json()["id"].as_str().unwrap().to_owned())),
                409 => {
                    let kind = &reply.json()["type"];
                    assert_eq!(kind, "urn:ordermill:problem:idempotency-key-in-use");
                    assert!(reply.header("retry-after").is_some());
                }
                other => panic!("{other}: {}", reply.text),
            }
        }
        assert_eq!(ids.len(), 10);
    }
    assert_eq!(world.count("select count(*) from products").await, 11);
    assert_eq!(world.count("select count(*) from customers").await, 11);
}
