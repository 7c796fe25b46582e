//! Wrong requests of the kinds that a generator of requests finds (`make fuzz-api`).

use reqwest::Method;
use testkit::eventually;
use testkit::world::{Order, Reply, World};

use super::ledger::counter;
use super::operator::tell;

async fn send(world: &World, method: Method, path: &str, body: &str) -> Reply {
    let request = world.request(method, path).header("content-type", "application/json");
    world.send(request.body(body.to_owned())).await
}

#[track_caller]
fn assert_refused(reply: &Reply, field: &str) {
    assert_eq!((reply.status, &reply.json()["errors"][0]["field"]), (422, &field.into()));
}

#[tokio::test]
async fn a_quantity_counts_by_its_value_and_one_beyond_all_types_is_a_wrong_field() {
    let world = World::start().await;
    for quantity in ["1e400", "1e99999999999", "-1e400", "1.5", "\"1\"", "[1]", "true"] {
        let body = format!(r#"{{"productId":"1","quantity":{quantity}}}"#);
        assert_refused(&send(&world, Method::POST, "/orders", &body).await, "quantity");
    }
    for quantity in ["2", "2.0", "0.2e1"] {
        let body = format!(r#"{{"productId":"1","quantity":{quantity}}}"#);
        let placed = send(&world, Method::POST, "/orders", &body).await;
        assert_eq!((placed.status, &placed.json()["quantity"]), (201, &2.into()), "{quantity}");
    }
}

#[tokio::test]
async fn a_list_of_values_is_no_object() {
    let world = World::start().await;
    for (method, path, body) in [
        (Method::POST, "/orders", r#"["1","1",1,"pm_card_visa"]"#),
        (Method::POST, "/products", r#"["Saber",1,"USD"]"#),
        (Method::PATCH, "/products/1", "[null,null]"),
        (Method::POST, "/customers", r#"["Leia","leia@alderaan.com"]"#),
        (Method::PATCH, "/customers/1", "[null,null]"),
    ] {
        assert_refused(&send(&world, method, path, body).await, "body");
    }
    assert_eq!(world.count("select count(*) from orders").await, 0);
}

#[tokio::test]
async fn names_and_addresses_are_lines_from_end_to_end() {
    let world = World::start().await;
    let long = "x".repeat(200);
    for name in [" ", "a\\n", "\\u0085a", "a\\u009fb", &format!(" {long}")] {
        let body = format!(r#"{{"name":"{name}","price":1}}"#);
        assert_refused(&send(&world, Method::POST, "/products", &body).await, "name");
    }
    for email in [" leia@alderaan.com", "leia@alderaan.com\\n", "leia@\\u008c", "leia@\\u00a0"] {
        let body = format!(r#"{{"name":"Leia","email":"{email}"}}"#);
        assert_refused(&send(&world, Method::POST, "/customers", &body).await, "email");
    }
    let body = format!(r#"{{"name":"{long}","price":1}}"#);
    assert_eq!(send(&world, Method::POST, "/products", &body).await.status, 201);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_with_a_problem() {
    let world = World::start().await;
    for (method, path, status) in [
        (Method::GET, "/swagger-ui/nowhere.js", 404),
        (Method::GET, "/orders/9999999999999999999", 404),
        (Method::GET, "/products/9999999999999999999", 404),
        (Method::POST, "/swagger-ui/", 405),
        (Method::TRACE, "/swagger-ui/", 405),
        (Method::TRACE, "/health/live", 405),
        (Method::POST, "/health/ready", 405),
        (Method::DELETE, "/actuator/health", 405),
    ] {
        let reply = world.send(world.request(method.clone(), path)).await;
        let what = format!("{method} {path}: {}", reply.text);
        assert_eq!(reply.status, status, "{what}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{what}");
        assert_eq!(reply.header("allow").is_some(), status == 405, "{what}");
    }
    for (path, kind) in [("/swagger-ui/", "text/html"), ("/health/ready", "application/json")] {
        let head = world.send(world.request(Method::HEAD, path)).await;
        assert_eq!((head.status, head.header("content-type")), (200, Some(kind)), "{path}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_is_skipped() {
    let world = World::start().await;
    let placed =
        send(&world, Method::POST, "/orders", "\u{feff}{\"productId\":\"1\",\"quantity\":1}").await;
    assert_eq!(placed.status, 201, "{}", placed.text);
    let made =
        send(&world, Method::POST, "/products", "\u{feff} {\"name\":\"X\",\"price\":1}").await;
    assert_eq!(made.status, 201, "{}", made.text);
    let order = Order::from_json(placed.json());
    assert_eq!(world.eventually_settled(&order).await.status, "Confirmed");
    let id = order.id;
    for body in [
        format!("\u{feff}{{\"orderId\":\"{id}\",\"paymentStatus\":\"successful\"}}"),
        format!("\u{feff}[{{\"orderId\":\"{id}\",\"paymentStatus\":\"successful\"}}]"),
    ] {
        let properties = lapin::BasicProperties::default();
        world.publish_raw("processedorders", body.as_bytes(), properties.clone()).await;
        let request = body.replace(
            "\"paymentStatus\":\"successful\"",
            "\"totalPrice\":199,\"currency\":\"USD\",\"customerId\":\"1\"",
        );
        world.publish_raw("processingorders", request.as_bytes(), properties).await;
    }
    let results = "ordermill_results_total{outcome=\"repeated\"}";
    eventually("four results", super::ledger::LONG, async || {
        let dead = world.depth_of(&["processedorders.dead", "processingorders.dead"]).await;
        assert_eq!(dead, 0, "a byte order mark made a message unreadable");
        counter(&world, world.order_management(0).ops_url("/metrics"), results).await >= 4.0
    })
    .await;
}

#[tokio::test]
async fn an_encoded_body_is_refused_with_what_to_send() {
    let world = World::builder().workers(0).start().await;
    let body = br#"{"productId":"1","quantity":1}"#;
    for path in ["/orders", "/products", "/customers"] {
        for encoding in ["gzip", "br", "x-nonsense", "gzip, identity", "identity, deflate"] {
            let request =
                world.request(Method::POST, path).header("content-type", "application/json");
            let reply =
                world.send(request.header("content-encoding", encoding).body(&body[..])).await;
            assert_eq!(reply.status, 415, "{encoding}: {}", reply.text);
            assert_eq!(reply.header("accept-encoding"), Some("identity"));
            assert!(
                reply.json()["detail"].as_str().unwrap().contains("Content-Encoding"),
                "{}",
                reply.text
            );
        }
    }
    for encoding in ["identity", "Identity", ""] {
        let request =
            world.request(Method::POST, "/orders").header("content-type", "application/json");
        let reply = world.send(request.header("content-encoding", encoding).body(&body[..])).await;
        assert_eq!(reply.status, 201, "{encoding:?}: {}", reply.text);
    }
}

#[tokio::test]
async fn only_a_field_that_is_left_out_means_its_default() {
    let world = World::builder().workers(0).start().await;
    for (path, body, field) in [
        ("/orders", r#"{"customerId":null,"productId":"1","quantity":1}"#, "customerId"),
        ("/orders", r#"{"productId":null,"quantity":1}"#, "productId"),
        ("/orders", r#"{"productId":"1","quantity":null}"#, "quantity"),
        ("/orders", r#"{"productId":"1","quantity":1,"paymentMethod":null}"#, "paymentMethod"),
        ("/products", r#"{"name":"X","price":1,"currency":null}"#, "currency"),
        ("/products", r#"{"name":"X","price":null}"#, "price"),
        ("/products", r#"{"name":null,"price":1}"#, "name"),
        ("/customers", r#"{"name":null,"email":"a@b.org"}"#, "name"),
        ("/customers", r#"{"name":"X","email":null}"#, "email"),
    ] {
        assert_refused(&send(&world, Method::POST, path, body).await, field);
    }
    for (path, field) in
        [("replay", "queue"), ("replay", "reason"), ("replay", "limit"), ("replay", "note")]
    {
        let mut body =
            serde_json::json!({"by": "anna", "queue": "processedorders", "reason": "unreadable"});
        body[field] = serde_json::Value::Null;
        assert_refused(&tell(&world, 0, &format!("/dead-letters/{path}"), body).await, field);
    }
    for (path, field) in [
        ("customerId=", "customerId"),
        ("status=", "status"),
        ("limit=", "limit"),
        ("cursor=", "cursor"),
    ] {
        assert_refused(&world.get(&format!("/orders?{path}")).await, field);
        assert_refused(&world.get(&format!("/orders?{path}null")).await, field);
    }
    assert_eq!(world.count("select count(*) from orders").await, 0);
    assert_eq!(world.count("select count(*) from products").await, 1);
}
