//! Conditional requests (RFC 9110 §13): a change names the state that it was made for.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::world::{Reply, World, order_body};

/// The collection, a new object of it, and a change of that object.
fn kinds() -> [(&'static str, Value, Value); 2] {
    [
        ("/products", json!({"name": "Saber", "price": 5}), json!({"price": 6})),
        ("/customers", json!({"name": "Leia", "email": "l@a.org"}), json!({"name": "Organa"})),
    ]
}

async fn create(world: &World, path: &str, body: &Value) -> (String, Reply) {
    let made = world.send(world.request(Method::POST, path).json(body)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (format!("{path}/{}", made.json()["id"].as_str().unwrap()), made)
}

async fn change(world: &World, path: &str, tag: &str, body: &Value) -> Reply {
    world.send(world.request(Method::PATCH, path).header("If-Match", tag).json(body)).await
}

async fn delete(world: &World, path: &str, tag: Option<&str>) -> Reply {
    let request = world.request(Method::DELETE, path);
    let request = tag.iter().fold(request, |request, tag| request.header("If-Match", *tag));
    world.send(request).await
}

fn tag(reply: &Reply) -> String {
    reply.header("etag").unwrap_or_else(|| panic!("no ETag: {reply:?}")).to_owned()
}

#[tokio::test]
async fn of_two_people_who_change_the_same_state_the_second_is_told() {
    let world = World::builder().workers(0).start().await;
    for (path, body, patch) in kinds() {
        let (one, made) = create(&world, path, &body).await;
        let read = world.get(&one).await;
        assert_eq!(tag(&made), tag(&read), "{one}");

        let first = change(&world, &one, &tag(&read), &patch).await;
        let second = change(&world, &one, &tag(&read), &json!({"name": "Second"})).await;

        assert_eq!((first.status, second.status), (200, 412), "{}", second.text);
        assert_eq!(second.json()["type"], "urn:ordermill:problem:precondition-failed");
        assert_ne!(tag(&first), tag(&read));
        let now = world.get(&one).await;
        assert_eq!((now.text.as_str(), tag(&now)), (first.text.as_str(), tag(&first)));
        let third = change(&world, &one, &format!("\"other\", {}", tag(&now)), &patch).await;
        assert_eq!(third.status, 200, "one of several tags fits: {}", third.text);
        let any = change(&world, &one, "*", &json!({"name": "Any"})).await;
        assert_eq!(any.status, 200, "{}", any.text);
    }
}

#[tokio::test]
async fn many_changes_of_one_state_at_the_same_time_change_it_once() {
    let world = World::builder().workers(0).order_management(2).start().await;
    let seen = tag(&world.get("/products/1").await);
    let changes = (0..40).map(|n| {
        let request = world.http().request(Method::PATCH, world.url(n % 2, "/products/1"));
        world.send(request.header("If-Match", &seen).json(&json!({"price": 200 + n})))
    });
    let replies = futures_util::future::join_all(changes).await;
    let of = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((of(200), of(412)), (1, 39));
    let anyway = (0..40).map(|n| {
        let request = world.request(Method::PATCH, "/products/1").header("If-Match", "*");
        world.send(request.json(&json!({"price": 300 + n})))
    });
    let replies = futures_util::future::join_all(anyway).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
}

#[tokio::test]
async fn a_change_without_a_condition_is_refused_and_a_wrong_one_named() {
    let world = World::builder().workers(0).start().await;
    for (path, body, patch) in kinds() {
        let (one, made) = create(&world, path, &body).await;
        let bare = world.send(world.request(Method::PATCH, &one).json(&patch)).await;
        assert_eq!(bare.status, 428, "{}", bare.text);
        assert_eq!(bare.json()["type"], "urn:ordermill:problem:precondition-required");
        let nonsense = change(&world, &one, "nonsense", &patch).await;
        assert_eq!(
            (nonsense.status, &nonsense.json()["errors"][0]["field"]),
            (422, &json!("If-Match"))
        );
        let weak = change(&world, &one, &format!("W/{}", tag(&made)), &patch).await;
        assert_eq!(weak.status, 200, "a compressing proxy makes tags weak: {}", weak.text);
        let gone = format!("{path}/999");
        let unknown = world.send(world.request(Method::PATCH, &gone).json(&patch)).await;
        assert_eq!(unknown.status, 404, "{}", unknown.text);
    }
}

#[tokio::test]
async fn a_state_that_the_client_has_is_not_sent_again() {
    let world = World::builder().workers(0).start().await;
    let order = world.place(order_body("pm_card_visa")).await;
    let order = format!("/orders/{}", order.json()["id"].as_str().unwrap());
    for path in ["/products/1", "/customers/1", &order] {
        let read = world.get(path).await;
        let seen = tag(&read);
        for (sent, status) in [
            (seen.clone(), 304),
            (format!("\"other\", W/{seen}"), 304),
            ("*".to_owned(), 304),
            ("\"other\"".to_owned(), 200),
        ] {
            let request = world.request(Method::GET, path).header("If-None-Match", &sent);
            let reply = world.send(request).await;
            assert_eq!((reply.status, tag(&reply)), (status, seen.clone()), "{path} {sent}");
            assert_eq!(reply.text.is_empty(), status == 304);
        }
    }
}

#[tokio::test]
async fn nothing_changed_is_no_change() {
    let world = World::builder().workers(0).start().await;
    for (path, body, patch) in kinds() {
        let (one, made) = create(&world, path, &body).await;
        for same in [&json!({}), &body] {
            let mut same = same.clone();
            same.as_object_mut().unwrap().retain(|name, _| name != "currency");
            let reply = change(&world, &one, "*", &same).await;
            assert_eq!((reply.status, &reply.text), (200, &made.text), "{same}");
            assert_eq!(tag(&reply), tag(&made));
        }
        let changed = change(&world, &one, &tag(&made), &patch).await.json();
        assert_ne!(changed["updatedAt"], made.json()["updatedAt"]);
    }
}

#[tokio::test]
async fn a_field_that_is_null_is_not_a_field_that_is_left_out() {
    let world = World::builder().workers(0).start().await;
    let before = world.get("/products/1").await.text;
    for (path, body, field) in [
        ("/products/1", r#"{"price":null}"#, "price"),
        ("/products/1", r#"{"name":null}"#, "name"),
        ("/customers/1", r#"{"name":null,"email":"a@b.org"}"#, "name"),
        ("/customers/1", r#"{"email":null}"#, "email"),
    ] {
        let body: Value = serde_json::from_str(body).unwrap();
        let reply = change(&world, path, "*", &body).await;
        assert_eq!(reply.status, 422, "{body}: {}", reply.text);
        assert_eq!(reply.json()["errors"][0]["field"], field, "{body}");
    }
    assert_eq!(world.get("/products/1").await.text, before);
}

#[tokio::test]
async fn only_the_state_that_was_seen_is_archived() {
    let world = World::builder().workers(0).start().await;
    for (path, body, patch) in kinds() {
        let (one, made) = create(&world, path, &body).await;
        let changed = change(&world, &one, &tag(&made), &patch).await;

        let stale = delete(&world, &one, Some(&tag(&made))).await;
        let fresh = delete(&world, &one, Some(&tag(&changed))).await;

        assert_eq!((stale.status, fresh.status), (412, 204), "{}", stale.text);
        assert_eq!(delete(&world, &one, None).await.status, 204, "archived before");
    }
}

#[tokio::test]
async fn a_product_or_customer_that_was_archived_by_mistake_is_restored() {
    let world = World::builder().workers(0).start().await;
    for (path, body, patch) in kinds() {
        let (one, _) = create(&world, path, &body).await;
        assert_eq!(delete(&world, &one, None).await.status, 204);
        assert_eq!(change(&world, &one, "*", &patch).await.status, 409);
        let restore = format!("{one}/restore");

        let restored = world.send(world.request(Method::POST, &restore)).await;

        assert_eq!(restored.status, 200, "{}", restored.text);
        assert_eq!(restored.json()["archivedAt"], Value::Null);
        assert_eq!(
            (world.get(&one).await.text, tag(&world.get(&one).await)),
            (restored.text.clone(), tag(&restored))
        );
        let again = world.send(world.request(Method::POST, &restore)).await;
        assert_eq!((again.status, &again.text), (200, &restored.text), "nothing to restore");
        let mut order = order_body("pm_card_visa");
        let field = if path == "/products" { "productId" } else { "customerId" };
        order[field] = restored.json()["id"].clone();
        assert_eq!(world.place(order).await.status, 201);
        assert_eq!(change(&world, &one, "*", &patch).await.status, 200);
        let unknown = world.send(world.request(Method::POST, &format!("{path}/999/restore"))).await;
        assert_eq!(unknown.status, 404, "{}", unknown.text);
    }
}
