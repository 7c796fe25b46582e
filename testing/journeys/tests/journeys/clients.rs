//! Clients that send too much, send too slowly, or never read: each is bounded, and the next client
//! is served.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use testkit::eventually;
use testkit::eventually::wait_for;
use testkit::world::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ledger::LONG;

/// Time after which a client that does not read is disconnected, including the kernel's own
/// intervals.
const SILENCE: Duration = Duration::from_secs(2 * (20 + 10));

/// Both ports of order-management and the port of the worker, each with an existing path.
fn doors(world: &World) -> [(u16, &'static str); 3] {
    let (shop, worker) = (world.order_management(0), world.worker(0));
    let port = |text: Option<&str>| text.unwrap().parse().unwrap();
    [
        (port(shop.variable("PORT")), "/products/1"),
        (port(shop.variable("OPS_PORT")), "/metrics"),
        (port(worker.variable("OPS_PORT")), "/metrics"),
    ]
}

async fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

/// Sends the request, as far as the server accepts it, and reads until the server closes.
async fn talk(port: u16, request: &[u8]) -> String {
    let stream = connect(port).await;
    let (mut answers, mut questions) = stream.into_split();
    let read = async {
        let mut text = Vec::new();
        // A server that does not want to read the rest resets the connection after its answer.
        answers.read_to_end(&mut text).await.ok();
        String::from_utf8_lossy(&text).into_owned()
    };
    let (_sent, text) = tokio::join!(questions.write_all(request), read);
    text
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused_and_the_next_client_is_served() {
    let world = World::start().await;
    for (port, path) in doors(&world) {
        let many: String = (0..1000).map(|n| format!("X-{n}: y\r\n")).collect();
        let long = format!("X-Long: {}\r\n", "y".repeat(1_000_000));
        let target = format!("{path}?{}", "y".repeat(200_000));
        for (what, request) in [
            ("many headers", format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{many}\r\n")),
            ("a long header", format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{long}\r\n")),
            ("a long target", format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        ] {
            let answer = talk(port, request.as_bytes()).await;
            let refused = ["HTTP/1.1 431 ", "HTTP/1.1 400 ", "HTTP/1.1 414 "];
            let refused = refused.iter().any(|status| answer.starts_with(status));
            assert!(refused, "{what} at {port}: {:?}", answer.lines().next());
        }
        let close = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert!(talk(port, close.as_bytes()).await.starts_with("HTTP/1.1 200 "));
    }
}

#[tokio::test]
async fn a_client_that_sends_its_head_drop_by_drop_is_left_after_some_seconds() {
    let world = World::start().await;
    for (port, path) in doors(&world) {
        let mut stream = connect(port).await;
        let began = Instant::now();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nX: ").as_bytes())
            .await
            .unwrap();
        let mut answer = Vec::new();
        let (mut answers, mut questions) = stream.into_split();
        let drops = wait_for("the end", LONG, async || questions.write_all(b"y").await.is_err());
        tokio::select! {
            read = answers.read_to_end(&mut answer) => { read.ok(); }
            _ = drops => {}
        }
        let (answer, took) = (String::from_utf8_lossy(&answer).into_owned(), began.elapsed());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(took < Duration::from_secs(15), "{port}: {took:?}");
        assert!(took > Duration::from_secs(3), "{port}: {took:?}");
    }
}

#[tokio::test]
async fn a_client_that_never_reads_is_left_when_it_has_been_silent_too_long() {
    let world = World::start().await;
    let [(port, _), ..] = doors(&world);
    let stream = connect(port).await;
    let ask = b"GET /api-docs/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    let began = Instant::now();
    let mut sent = 0;
    eventually("a client that never reads to be left", SILENCE, async || {
        loop {
            stream.writable().await.ok();
            match stream.try_write(&ask[sent % ask.len()..]) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(_) => return true,
            }
        }
    })
    .await;
    println!("left after {:?}, {sent} bytes of requests", began.elapsed());
    assert_eq!(world.get("/products/1").await.status, 200);
}

#[tokio::test]
async fn requests_that_come_all_at_once_are_answered_one_after_the_other() {
    let world = World::start().await;
    for (port, path) in doors(&world) {
        let one = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let last = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answer = talk(port, (one.repeat(99) + &last).as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 100, "at {port}");
    }
}

#[tokio::test]
async fn more_clients_than_may_be_connected_wait_and_the_operators_do_not() {
    let world = World::builder()
        .workers(0)
        .order_management_env("HTTP_WORKERS", "1")
        .order_management_env("HTTP_CONNECTIONS_MAX", "4")
        .start()
        .await;
    let port = world.order_management(0).variable("PORT").unwrap().parse().unwrap();
    let ask = b"GET /products/1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut first = Vec::new();
    for _ in 0..4 {
        let mut stream = connect(port).await;
        stream.write_all(ask).await.unwrap();
        stream.read_u8().await.unwrap();
        first.push(stream);
    }
    let mut fifth = connect(port).await;
    fifth.write_all(ask).await.unwrap();
    let waits = tokio::time::timeout(Duration::from_secs(1), fifth.read_u8()).await;
    assert!(waits.is_err(), "a fifth client was served: {waits:?}");
    let ready = world.order_management(0).ops_url("/health/ready");
    assert_eq!(world.http().get(ready).send().await.unwrap().status(), 200);

    drop(first);

    assert_eq!(fifth.read_u8().await.unwrap(), b'H');
}
