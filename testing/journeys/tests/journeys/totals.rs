//! The total that a client expects: an order is charged what the client saw, or not placed.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::world::{Reply, World};

fn body(quantity: i32, expected: impl Into<Value>) -> Value {
    json!({"productId": "1", "quantity": quantity, "expectedTotal": expected.into()})
}

async fn place(world: &World, key: Option<&str>, body: &Value) -> Reply {
    let request = world.request(Method::POST, "/orders").json(body);
    let request = key.iter().fold(request, |request, key| request.header("Idempotency-Key", *key));
    world.send(request).await
}

async fn set_price(world: &World, price: Value) {
    let request = world.request(Method::PATCH, "/products/1").header("If-Match", "*");
    assert_eq!(world.send(request.json(&json!({"price": price}))).await.status, 200);
}

#[tokio::test]
async fn an_order_whose_total_is_not_the_expected_one_is_not_placed() {
    let world = World::start().await;
    set_price(&world, json!(143.48)).await;
    for (quantity, expected) in [(1, json!(143.48)), (3, json!(430.44)), (25, json!(3587.0))] {
        let placed = place(&world, None, &body(quantity, expected)).await;
        assert_eq!(placed.status, 201, "{}", placed.text);
    }
    for (quantity, expected) in [(1, json!(143.47)), (2, json!(143.48)), (1, json!(0))] {
        let refused = place(&world, None, &body(quantity, expected)).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        let error = &refused.json()["errors"][0];
        assert_eq!(error["field"], "expectedTotal");
        let total = if quantity == 1 { "143.48" } else { "286.96" };
        assert!(error["message"].as_str().unwrap().contains(total), "{error}");
    }
    for wrong in [json!("143.48"), json!(-1), json!(1.001), json!(100_000_001), Value::Null] {
        let refused = place(&world, None, &body(1, wrong)).await;
        assert_eq!(
            (refused.status, &refused.json()["errors"][0]["field"]),
            (422, &json!("expectedTotal"))
        );
    }
    assert_eq!(world.count("select count(*) from orders").await, 3);
    world.eventually_all_settled(super::ledger::LONG).await;
}

#[tokio::test]
async fn a_repeated_key_gets_its_first_answer_although_the_price_has_changed_since() {
    let world = World::builder().workers(0).start().await;
    let first = place(&world, Some("k"), &body(2, 398)).await;
    assert_eq!(first.status, 201, "{}", first.text);
    set_price(&world, json!(250)).await;

    let again = place(&world, Some("k"), &body(2, 398)).await;
    let other = place(&world, Some("k"), &body(2, 500)).await;
    let new = place(&world, Some("new"), &body(2, 398)).await;

    assert_eq!((again.status, &again.text), (201, &first.text));
    assert_eq!(other.json()["type"], "urn:ordermill:problem:idempotency-key-reused");
    assert_eq!(new.json()["errors"][0]["field"], "expectedTotal", "{}", new.text);
    assert_eq!(world.count("select count(*) from orders").await, 1);
    let without = json!({"productId": "1", "quantity": 2});
    assert_eq!(place(&world, None, &without).await.json()["totalPrice"], json!(500));
}
