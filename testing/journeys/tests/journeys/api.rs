//! The HTTP API.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::world::{Reply, World, order_body};

async fn send(world: &World, method: Method, path: &str, body: Value) -> Reply {
    let request = world.request(method.clone(), path).json(&body);
    let any_state = method == Method::PATCH;
    world.send(if any_state { request.header("If-Match", "*") } else { request }).await
}

async fn raw(world: &World, content_type: &str, body: impl Into<reqwest::Body>) -> Reply {
    let request = world.request(Method::POST, "/orders").header("content-type", content_type);
    world.send(request.body(body)).await
}

fn assert_problem(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    let body = reply.json();
    assert_eq!(body["status"], json!(status));
    assert_eq!(body["requestId"].as_str(), reply.header("x-request-id"));
    for member in ["type", "title", "detail"] {
        assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    }
}

#[tokio::test]
async fn every_kind_of_wrong_request_gets_its_problem() {
    let world = World::start().await;
    let json_type = "application/json";
    assert_problem(&raw(&world, json_type, "{").await, 400);
    assert_problem(&raw(&world, "text/plain", "{}").await, 415);
    assert_problem(&raw(&world, json_type, "x".repeat(20_000)).await, 413);
    assert_problem(&world.get("/nowhere").await, 404);
    assert_problem(&world.get("/orders/nonsense").await, 404);
    assert_problem(&world.get("/orders/01990000-0000-7000-8000-000000000000").await, 404);
    let put = send(&world, Method::PUT, "/orders", json!({})).await;
    assert_problem(&put, 405);
    assert_eq!(put.header("allow"), Some("GET, HEAD, POST"));
    assert_problem(&world.get("/orders?limit=0").await, 422);
    assert_problem(&world.get("/orders?cursor=x").await, 422);
    assert_problem(&world.get("/orders?status=Lost").await, 422);
    assert_problem(&world.get("/orders?nonsense=1").await, 422);
    assert_eq!(world.count("select count(*) from orders").await, 0);
}

#[tokio::test]
async fn all_wrong_fields_of_an_order_are_named_at_once() {
    let world = World::start().await;
    let body = json!({"customerId": "0", "productId": "x", "quantity": 0, "paymentMethod": "a b"});

    let reply = send(&world, Method::POST, "/orders", body).await;

    assert_problem(&reply, 422);
    let errors = reply.json()["errors"].as_array().unwrap().clone();
    let fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["customerId", "productId", "quantity", "paymentMethod"]);
    for (body, field) in [
        (json!({}), "productId"),
        (json!({"productId": 1, "quantity": 1}), "productId"),
        (json!({"productId": "1", "quantity": 1.5}), "quantity"),
        (json!({"productId": "1", "quantity": 1, "price": 1}), "price"),
        (json!({"productId": "1", "quantity": 10001}), "quantity"),
        (json!([]), "body"),
        (json!({"productId": "1", "quantity": 1, "paymentMethod": "\u{0}"}), "paymentMethod"),
    ] {
        let reply = send(&world, Method::POST, "/orders", body.clone()).await;
        assert_problem(&reply, 422);
        assert_eq!(reply.json()["errors"][0]["field"], field, "{body}");
    }
}

#[tokio::test]
async fn a_request_id_is_taken_if_it_is_sane_and_made_otherwise() {
    let world = World::start().await;
    for (sent, kept) in [("abc-1", true), ("with space", false), (&*"x".repeat(200), false)] {
        let request = world.request(Method::GET, "/orders").header("X-Request-ID", sent);
        let reply = world.send(request).await;
        let got = reply.header("x-request-id").unwrap();
        assert_eq!(got == sent, kept, "{sent} gave {got}");
    }
}

#[tokio::test]
async fn orders_are_listed_newest_first_page_by_page_without_gaps_or_repetitions() {
    let world = World::start().await;
    let customer =
        send(&world, Method::POST, "/customers", json!({"name": "Leia", "email": "l@a.org"}));
    let customer = customer.await.json()["id"].as_str().unwrap().to_owned();
    let mut placed = Vec::new();
    for n in 0..7 {
        let mut body = order_body("pm_card_visa");
        body["customerId"] = json!(if n % 2 == 0 { &customer } else { "1" });
        let id = world.place(body).await.json()["id"].as_str().unwrap().to_owned();
        placed.insert(0, id);
    }

    let mut seen = Vec::new();
    let mut path = "/orders?limit=3".to_owned();
    loop {
        let page = world.get(&path).await.json();
        seen.extend(
            page["data"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/orders?limit=3&cursor={cursor}");
    }

    assert_eq!(seen, placed);
    let theirs = world.get(&format!("/orders?customerId={customer}")).await.json();
    assert_eq!(theirs["data"].as_array().unwrap().len(), 4);
    world.eventually_all_settled(super::ledger::LONG).await;
    let confirmed = world.get("/orders?status=Confirmed&limit=500").await.json();
    assert_eq!(confirmed["data"].as_array().unwrap().len(), 7);
    for status in ["Pending", "Canceled"] {
        let none = world.get(&format!("/orders?status={status}")).await.json();
        assert_eq!(none["data"], json!([]));
    }
}

#[tokio::test]
async fn products_keep_exact_prices_and_orders_keep_the_price_of_their_moment() {
    let world = World::start().await;
    let seeded = world.get("/products/1").await.json();
    assert_eq!((&seeded["name"], &seeded["price"]), (&json!("Iphone"), &json!(199)));
    let created =
        send(&world, Method::POST, "/products", json!({"name": "Saber", "price": 0.1})).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(created.header("location"), Some(&*format!("/products/{id}")));
    let body = json!({"productId": id, "quantity": 3});
    let order = send(&world, Method::POST, "/orders", body.clone()).await;
    assert!(order.text.contains("\"totalPrice\":0.3,"), "{}", order.text);

    let path = format!("/products/{id}");
    let patched = send(&world, Method::PATCH, &path, json!({"price": 70.07})).await;
    assert_eq!(patched.json()["price"], json!(70.07));
    let dearer = send(&world, Method::POST, "/orders", body.clone()).await;
    assert!(dearer.text.contains("\"totalPrice\":210.21,"), "{}", dearer.text);
    let first = world.get(order.header("location").unwrap()).await;
    assert!(first.text.contains("\"totalPrice\":0.3,"), "{}", first.text);

    for wrong in [json!(-1), json!(0.001), json!("1"), json!(100_000_001)] {
        let reply = send(&world, Method::PATCH, &path, json!({"price": wrong})).await;
        assert_problem(&reply, 422);
    }
    let dear = json!({"name": "Star", "price": 100_000_000});
    let dear = send(&world, Method::POST, "/products", dear).await.json()["id"].clone();
    let too_much =
        send(&world, Method::POST, "/orders", json!({"productId": dear, "quantity": 2})).await;
    assert_problem(&too_much, 422);
}

#[tokio::test]
async fn an_archived_product_or_customer_keeps_its_orders_and_gets_no_new_ones() {
    let world = World::start().await;
    for (path, field) in [("/products", "productId"), ("/customers", "customerId")] {
        let body = match field {
            "productId" => json!({"name": "Droid", "price": 5}),
            _ => json!({"name": "Leia", "email": "leia@alderaan.com"}),
        };
        let id = send(&world, Method::POST, path, body).await.json()["id"].clone();
        let mut order = order_body("pm_card_visa");
        order[field] = id.clone();
        let placed = world.place(order.clone()).await;
        assert_eq!(placed.status, 201, "{}", placed.text);
        let one = format!("{path}/{}", id.as_str().unwrap());

        for _ in 0..2 {
            let archived = world.send(world.request(Method::DELETE, &one)).await;
            assert_eq!((archived.status, archived.text.as_str()), (204, ""));
        }

        let refused = world.place(order).await;
        assert_problem(&refused, 422);
        assert_eq!(refused.json()["errors"][0]["field"], field);
        assert_eq!(world.get(placed.header("location").unwrap()).await.status, 200);
        assert!(world.get(&one).await.json()["archivedAt"].is_string());
        let listed = world.get(path).await.json();
        assert!(listed["data"].as_array().unwrap().iter().all(|item| item["id"] != id));
        assert_problem(&send(&world, Method::PATCH, &one, json!({"name": "x"})).await, 409);
    }
    assert_problem(&world.send(world.request(Method::DELETE, "/products/99")).await, 404);
}

#[tokio::test]
async fn the_document_names_every_route_and_every_status_and_swagger_shows_it() {
    let world = World::start().await;
    let document = world.get("/api-docs/openapi.json").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    let place = &paths["/orders"]["post"]["responses"];
    for status in ["201", "400", "409", "413", "415", "422", "500", "503"] {
        assert!(place[status].is_object(), "POST /orders does not document {status}");
    }
    let mut ids = std::collections::HashSet::new();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} stands twice: Swagger UI calls the first one");
            let url = path.replace("{id}", "1");
            let reply = send(&world, method.to_uppercase().parse().unwrap(), &url, json!({})).await;
            let status = reply.status.to_string();
            let documented = &operation["responses"][&status];
            assert!(documented.is_object(), "{method} {path} gave {status}: {}", reply.text);
        }
    }
    let home = world.get("/").await;
    assert!(home.text.contains("swagger-ui"), "{}", home.text);
    let head = world.send(world.request(Method::HEAD, "/orders")).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}
