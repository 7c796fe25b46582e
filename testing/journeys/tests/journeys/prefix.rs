//! Behind a proxy that serves the API below a path: every link leads back through the proxy.

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use testkit::world::{Reply, World, order_body};

/// The address of the proxy, whose prefix it has removed from the request.
const PROXY: &str = "https://shop.example/shop/";

/// Sends the request that a proxy makes of one for `https://shop.example/shop/PATH`.
async fn through(world: &World, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut request = client.request(method.clone(), world.url(0, path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if method == Method::POST {
        request = request.json(&order_body("pm_card_visa"));
    }
    world.send(request).await
}

/// The place that a browser goes to after an answer to `https://shop.example/shop/PATH`.
fn target(path: &str, reply: &Reply) -> String {
    let asked = Url::parse(PROXY).unwrap().join(path.trim_start_matches('/')).unwrap();
    let location = reply.headers.get(LOCATION).unwrap().to_str().unwrap();
    asked.join(location).unwrap().to_string()
}

#[tokio::test]
async fn links_lead_through_the_proxy() {
    let world = World::builder().workers(0).start().await;
    for headers in [
        &[("X-Forwarded-Prefix", "/shop")][..],
        &[("X-Forwarded-Prefix", "/shop/")],
        &[("Forwarded", "for=192.0.2.7;proto=https;host=shop.example")],
        &[("Via", "1.1 proxy")],
    ] {
        for page in ["/", "/swagger-ui"] {
            let home = through(&world, Method::GET, page, headers).await;
            assert_eq!(home.status, 302);
            assert_eq!(target(page, &home), "https://shop.example/shop/swagger-ui/", "{headers:?}");
        }
        let placed = through(&world, Method::POST, "/orders", headers).await;
        assert_eq!(placed.status, 201, "{}", placed.text);
        let id = placed.json()["id"].as_str().unwrap().to_owned();
        let order = format!("https://shop.example/shop/orders/{id}");
        assert_eq!(target("/orders", &placed), order, "{headers:?}");
    }
}

#[tokio::test]
async fn swagger_ui_finds_its_document_and_the_document_its_server() {
    let world = World::builder().workers(0).start().await;
    let page = Url::parse(PROXY).unwrap().join("swagger-ui/").unwrap();
    let script = world.get("/swagger-ui/swagger-initializer.js").await.text;
    let named = script.split("url\": \"").nth(1).or(script.split("url: \"").nth(1)).unwrap();
    let document = page.join(named.split('"').next().unwrap()).unwrap();
    assert_eq!(document.as_str(), "https://shop.example/shop/api-docs/openapi.json");
    let html = world.get("/swagger-ui/").await.text;
    for part in html.split(['"', '\'']).filter(|part| part.starts_with('/')) {
        assert!(part.len() == 1, "{part} would leave the prefix");
    }
    let spec = world.get("/api-docs/openapi.json").await.json();
    let server = document.join(spec["servers"][0]["url"].as_str().unwrap()).unwrap();
    assert_eq!(server.as_str(), PROXY);
    assert!(spec["paths"].as_object().unwrap().keys().all(|path| path.starts_with('/')));
}

#[tokio::test]
async fn no_header_leads_away_from_the_server() {
    let world = World::builder().workers(0).start().await;
    let long = format!("/{}", "a".repeat(2000));
    for hostile in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "/a//evil.example",
        "/../x",
        "/a/./b",
        "/a?b",
        "/a#b",
        "/a b",
        "/%2f%2fevil.example",
        "/a,//evil.example",
        &long,
        "javascript:alert(1)",
    ] {
        let headers = [
            ("X-Forwarded-Prefix", hostile),
            ("Forwarded", "host=evil.example;proto=gopher"),
            ("X-Forwarded-Host", "evil.example"),
        ];
        for (method, path) in [(Method::GET, "/"), (Method::POST, "/orders")] {
            let reply = through(&world, method, path, &headers).await;
            let target = target(path, &reply);
            assert!(target.starts_with(PROXY), "{hostile} leads to {target}");
        }
    }
}

#[tokio::test]
async fn without_a_proxy_a_location_is_a_path_as_ever() {
    let world = World::builder().workers(0).start().await;
    let placed = through(&world, Method::POST, "/orders", &[]).await;
    let id = placed.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(placed.header("location"), Some(&*format!("/orders/{id}")));
}
