//! The ops ports and the pages: the clients that reach them, and the answers.

use reqwest::{Method, header};
use testkit::processes::Process;
use testkit::world::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn head_is_answered_like_get_on_every_port() {
    let mut world = World::start().await;
    let (auditor, collector) = (world.add_auditor(&[]).await, world.add_log_collector(&[]).await);
    world.ready().await;
    let common = ["/health/live", "/health/ready", "/actuator/health", "/metrics"];
    let more = [
        (world.order_management(0), "/api-docs/openapi.json"),
        (world.worker(0), "/health/live"),
        (world.auditor(auditor), "/audit.json"),
        (world.log_collector(collector), "/logs"),
    ];
    for (process, path) in more {
        for path in common.into_iter().chain([path]) {
            let url = process.ops_url(path);
            let get = world.http().get(&url).send().await.unwrap();
            let head = world.http().head(&url).send().await.unwrap();
            assert_eq!(head.status(), get.status(), "{url}");
            assert!(head.status().is_success(), "{url}: {}", head.status());
            let kind =
                |reply: &reqwest::Response| reply.headers().get(header::CONTENT_TYPE).cloned();
            assert_eq!(kind(&head), kind(&get), "{url}");
            assert!(head.bytes().await.unwrap().is_empty(), "{url}");
        }
    }
}

/// The status line of `GET /metrics` on the ops port, under this host.
async fn ask_as(process: &Process, target: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", process.ops_port())).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_ops_port_answers_only_under_names_that_are_its_own() {
    let world = World::builder().worker_env("OPS_ALLOWED_HOSTS", "worker-7, other").start().await;
    let (shop, worker) = (world.order_management(0), world.worker(0));
    for (process, host, status) in [
        (shop, "localhost:9100", "200"),
        (shop, "127.0.0.1", "200"),
        (shop, "[::1]:9100", "200"),
        (shop, "worker-7", "421"),
        (shop, "rebound.example", "421"),
        (worker, "worker-7:9101", "200"),
        (worker, "rebound.example", "421"),
    ] {
        for target in ["/metrics", "/nowhere"] {
            let line = ask_as(process, target, host).await;
            let wanted = if status == "200" && target == "/nowhere" { "404" } else { status };
            assert!(line.contains(&format!(" {wanted} ")), "{host}{target}: {line}");
        }
    }
    let line = ask_as(shop, "http://rebound.example/metrics", "localhost").await;
    assert!(line.contains(" 421 "), "{line}");
}

#[tokio::test]
async fn an_ops_port_is_on_loopback_wherever_the_api_is() {
    let world = World::builder().workers(0).env("BIND_ADDRESS", "0.0.0.0").start().await;
    let shop = world.order_management(0);
    let port: u16 = shop.variable("PORT").unwrap().parse().unwrap();
    TcpStream::connect(("127.0.0.2", port)).await.unwrap();
    TcpStream::connect(("127.0.0.1", shop.ops_port())).await.unwrap();
    TcpStream::connect(("127.0.0.2", shop.ops_port())).await.unwrap_err();
}

#[tokio::test]
async fn the_unspecified_ipv6_address_serves_both_families() {
    let world = World::builder()
        .workers(0)
        .env("BIND_ADDRESS", "::")
        .env("OPS_BIND_ADDRESS", "[::]")
        .start()
        .await;
    assert_eq!(world.get("/products/1").await.status, 200);
    let check = world.order_management(0).run_once(&["healthcheck"]).await.unwrap();
    assert!(check.status.success(), "{check:?}");
}

#[tokio::test]
async fn swagger_ui_comes_compressed_and_is_not_sent_twice() {
    let world = World::builder().workers(0).start().await;
    for path in ["/swagger-ui/swagger-ui-bundle.js", "/api-docs/openapi.json", "/swagger-ui/"] {
        let get = |name: &'static str, value: String| {
            world.send(world.request(Method::GET, path).header(name, value))
        };
        let plain = world.get(path).await;
        assert_eq!(plain.status, 200);
        assert_eq!(plain.header("content-encoding"), None);
        let length: usize = plain.header("content-length").unwrap().parse().unwrap();
        assert_eq!(length, plain.text.len());
        let zipped = get("accept-encoding", "gzip, deflate, br".to_owned()).await;
        assert_eq!(zipped.header("content-encoding"), Some("gzip"));
        let small: usize = zipped.header("content-length").unwrap().parse().unwrap();
        assert!(small < length, "{path}: {small} of {length}");
        assert_ne!(zipped.header("etag"), plain.header("etag"));
        let tag = plain.header("etag").unwrap().to_owned();
        let again = get("if-none-match", tag.clone()).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""));
        assert_eq!(again.header("etag"), Some(tag.as_str()));
    }
}

#[tokio::test]
async fn swagger_ui_can_be_switched_off() {
    let world = World::builder().workers(0).order_management_env("SWAGGER_UI", "off").start().await;
    for (path, status) in [
        ("/", 404),
        ("/swagger-ui", 404),
        ("/swagger-ui/", 404),
        ("/swagger-ui/swagger-ui-bundle.js", 404),
        ("/api-docs/openapi.json", 200),
    ] {
        assert_eq!(world.get(path).await.status, status, "{path}");
        let url = world.order_management(0).ops_url(path);
        assert_eq!(world.http().get(url).send().await.unwrap().status(), status, "ops {path}");
    }
}
