//! Pages of other origins (the Fetch standard's CORS protocol), where `CORS_ORIGINS` lets them in.

use reqwest::Method;
use testkit::world::{Reply, World};

const SHOP: &str = "https://shop.example";

async fn open(origins: Option<&str>) -> World {
    let world = World::builder().workers(0);
    let world = origins
        .iter()
        .fold(world, |world, origins| world.order_management_env("CORS_ORIGINS", origins));
    world.start().await
}

/// The question that a browser asks before a `POST` with a key.
async fn preflight(world: &World, origin: &str, path: &str, method: &str) -> Reply {
    let request = world.request(Method::OPTIONS, path).header("Origin", origin);
    let request = request.header("Access-Control-Request-Method", method);
    let asked = "content-type,idempotency-key,if-match,prefer,x-request-id";
    world.send(request.header("Access-Control-Request-Headers", asked)).await
}

async fn get(world: &World, origin: &str, path: &str) -> Reply {
    world.send(world.request(Method::GET, path).header("Origin", origin)).await
}

fn list(reply: &Reply, header: &str) -> Vec<String> {
    let text = reply.header(header).unwrap_or_default();
    text.split(',').map(|part| part.trim().to_lowercase()).collect()
}

#[tokio::test]
async fn a_page_of_a_named_origin_may_ask_and_read_and_another_may_not() {
    let world = open(Some("https://other.example, https://shop.example")).await;
    for (path, method) in
        [("/orders", "POST"), ("/products/1", "PATCH"), ("/customers/1", "DELETE")]
    {
        let asked = preflight(&world, SHOP, path, method).await;
        assert_eq!(asked.status, 200, "{method} {path}: {}", asked.text);
        assert_eq!(asked.header("access-control-allow-origin"), Some(SHOP));
        assert!(list(&asked, "access-control-allow-methods").contains(&method.to_lowercase()));
        let allowed = list(&asked, "access-control-allow-headers");
        for header in ["content-type", "idempotency-key", "if-match", "prefer", "x-request-id"] {
            assert!(allowed.contains(&header.to_owned()), "{header}: {allowed:?}");
        }
        assert!(asked.header("access-control-max-age").unwrap().parse::<u64>().unwrap() >= 600);
    }
    for (path, status) in [("/orders", 200), ("/orders/nonsense", 404), ("/orders?limit=0", 422)] {
        let read = get(&world, SHOP, path).await;
        assert_eq!((read.status, read.header("access-control-allow-origin")), (status, Some(SHOP)));
        let exposed = list(&read, "access-control-expose-headers");
        for header in ["location", "etag", "x-request-id", "retry-after"] {
            assert!(exposed.contains(&header.to_owned()), "{header}: {exposed:?}");
        }
        assert!(list(&read, "vary").contains(&"origin".to_owned()), "{:?}", read.headers);
    }
    for origin in ["https://evil.example", "https://shop.example.evil.example", "null"] {
        let read = get(&world, origin, "/orders").await;
        assert_eq!((read.status, read.header("access-control-allow-origin")), (200, None));
        let asked = preflight(&world, origin, "/orders", "POST").await;
        assert_eq!(asked.header("access-control-allow-origin"), None, "{origin}");
    }
}

#[tokio::test]
async fn a_star_lets_every_page_in_and_no_setting_none() {
    let world = open(Some("*")).await;
    for reply in
        [get(&world, SHOP, "/orders").await, preflight(&world, SHOP, "/orders", "POST").await]
    {
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert_eq!(reply.header("access-control-allow-credentials"), None);
    }
    let world = open(None).await;
    let (asked, read) =
        (preflight(&world, SHOP, "/orders", "POST").await, get(&world, SHOP, "/orders").await);
    assert_eq!((asked.status, read.status), (405, 200));
    for reply in [asked, read] {
        let cors = reply.headers.keys().filter(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors.count(), 0, "{:?}", reply.headers);
        assert_eq!(reply.header("vary"), None);
    }
}
