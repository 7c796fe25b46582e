//! Connections to every port: each ends by itself when its client stops, and none ends early.

use std::time::Duration;

use futures_util::future::join_all;
use nix::unistd::Pid;
use testkit::binaries::{self, Binaries};
use testkit::eventually;
use testkit::scratch_dir::ScratchDir;
use testkit::world::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::ledger::LONG;

/// Idle clients of one process.
const IDLE: usize = 10_000;
/// Memory of each of them.
const IDLE_BYTES_MAX: usize = 20 * 1024;
/// Clients that do not read.
const SLOW: usize = 150;
/// Memory of all of them.
const SLOW_BYTES_MAX: usize = 32 * 1024 * 1024;
const BUNDLE: &str = "/swagger-ui/swagger-ui-bundle.js";

async fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

fn port(process: &testkit::processes::Process, name: &str) -> u16 {
    process.variable(name).unwrap().parse().unwrap()
}

/// Reads one answer, whose body has a `Content-Length`.
async fn read_answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        text.push(stream.read_u8().await.unwrap());
        if text.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8(text).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    head
}

/// Resident memory of a process, in bytes.
fn memory(pid: Pid) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Requests whose body stops halfway, for the port of the API or for an ops port.
fn half_requests(paths: &[(&str, &str)]) -> Vec<String> {
    let chunked = "Transfer-Encoding: chunked\r\n\r\n1000\r\n{\"a\"";
    let counted = "Content-Length: 1000\r\n\r\n{\"a\"";
    let large = format!("Transfer-Encoding: chunked\r\n\r\n10000\r\n{}", " ".repeat(20_000));
    let mut requests = Vec::new();
    for (method, path) in paths {
        for kind in ["application/json", "text/plain"] {
            for body in [chunked, counted, &large] {
                requests.push(format!(
                    "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{body}"
                ));
            }
        }
    }
    requests
}

/// The answer to a request that stops, and whether the connection ended.
async fn stopped(port: u16, request: &str) -> (String, bool) {
    let mut stream = connect(port).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await.is_ok();
    (String::from_utf8_lossy(&answer).into_owned(), ended)
}

#[tokio::test]
async fn a_body_that_stops_halfway_ends_its_connection_on_every_port() {
    let mut world = World::start().await;
    let (auditor, collector) = (world.add_auditor(&[]).await, world.add_log_collector(&[]).await);
    world.ready().await;
    let shop = world.order_management(0);
    let api = half_requests(&[
        ("POST", "/orders"),
        ("PUT", "/orders"),
        ("POST", "/nowhere"),
        ("GET", "/products/1"),
        ("HEAD", "/products/1"),
        ("DELETE", "/products/4711"),
    ]);
    let ops = half_requests(&[("GET", "/metrics"), ("POST", "/metrics"), ("GET", "/nowhere")]);
    let letters = half_requests(&[("POST", "/dead-letters/replay")]);
    let mut asked = Vec::new();
    for (port, requests) in [
        (port(shop, "PORT"), &api),
        (port(shop, "OPS_PORT"), &ops),
        (port(shop, "OPS_PORT"), &letters),
        (port(world.worker(0), "OPS_PORT"), &ops),
        (port(world.auditor(auditor), "OPS_PORT"), &ops),
        (port(world.log_collector(collector), "OPS_PORT"), &ops),
    ] {
        asked.extend(requests.iter().map(|request| (port, request)));
    }

    let answers = join_all(asked.iter().map(|(port, request)| stopped(*port, request))).await;

    for ((port, request), (answer, ended)) in asked.iter().zip(answers) {
        let request = request.get(..80).unwrap_or(request);
        assert!(answer.starts_with("HTTP/1.1 "), "{port}: {request} was answered {answer:?}");
        assert!(ended, "{port}: {request} was answered and the connection is still open");
        assert!(answer.to_lowercase().contains("connection: close"), "{port}: {request}: {answer}");
    }
}

#[tokio::test]
async fn a_chunked_body_that_was_read_leaves_its_connection_open() {
    let world = World::builder().workers(0).start().await;
    let mut stream = connect(port(world.order_management(0), "PORT")).await;
    for _ in 0..3 {
        stream
            .write_all(
                b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                  Transfer-Encoding: chunked\r\n\r\n10\r\n{\"productId\":\"1\"\r\n\
                  e\r\n,\"quantity\":1}\r\n0\r\n\r\n",
            )
            .await
            .unwrap();
        let answer = read_answer(&mut stream).await;
        assert!(answer.starts_with("http/1.1 201 "), "{answer}");
    }
}

#[tokio::test]
async fn an_offer_of_http_2_is_ignored_and_the_connection_stays() {
    let world = World::builder().workers(0).start().await;
    let mut stream = connect(port(world.order_management(0), "PORT")).await;
    let body = "{\"productId\":\"1\",\"quantity\":1}";
    let length = body.len();
    // The head as Java's client sends it, with a second request behind the first answer.
    let request = format!(
        "POST /orders HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: {length}\r\n\
         Host: localhost\r\nHTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAABgAGAAA\r\n\
         Upgrade: h2c\r\nContent-Type: application/json\r\n\r\n{body}"
    );
    for _ in 0..20 {
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert!(answer.starts_with("http/1.1 201 "), "{answer}");
        assert!(!answer.contains("\r\nconnection: "), "{answer}");
    }
}

#[tokio::test]
async fn a_head_that_stops_halfway_ends_its_connection_also_behind_an_answer() {
    let world = World::builder().workers(0).start().await;
    let shop = world.order_management(0);
    for (port, path) in [(port(shop, "PORT"), "/products/1"), (port(shop, "OPS_PORT"), "/metrics")]
    {
        let mut stream = connect(port).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        read_answer(&mut stream).await;
        stream.write_all(b"GET ").await.unwrap();
        let end = tokio::time::timeout(LONG, stream.read_u8()).await;
        end.expect("the connection ends").unwrap_err();
    }
}

#[tokio::test]
async fn an_idle_connection_ends_after_the_time_that_is_set() {
    let world =
        World::builder().workers(0).order_management_env("HTTP_KEEP_ALIVE_S", "1").start().await;
    let mut stream = connect(port(world.order_management(0), "PORT")).await;
    stream.write_all(b"GET /products/1 HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    read_answer(&mut stream).await;
    let end = tokio::time::timeout(Duration::from_secs(30), stream.read_u8()).await;
    end.expect("the connection ends").unwrap_err();
}

/// The programs, started with the limit of open files that a shell sets.
async fn with_few_files(dir: &ScratchDir) -> Binaries {
    use std::os::unix::fs::PermissionsExt;
    let real = binaries::fresh().await.unwrap().clone();
    let script = dir.path().join("order-management");
    let text = format!(
        "#!/bin/sh\nulimit -S -n 1024\nexec '{}' \"$@\"\n",
        real.order_management.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    Binaries { order_management: script, ..real }
}

#[tokio::test]
async fn ten_thousand_idle_clients_are_served_and_take_little_memory() {
    let own = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let clients = IDLE.min(usize::try_from(own).unwrap_or(IDLE) - 500);
    let dir = ScratchDir::new().unwrap();
    let binaries = with_few_files(&dir).await;
    let world = World::builder()
        .workers(0)
        .binaries(binaries)
        .order_management_env("HTTP_CONNECTIONS_MAX", &(IDLE + 1000).to_string())
        .order_management_env("HTTP_KEEP_ALIVE_S", "600")
        .start()
        .await;
    let shop = world.order_management(0);
    let (port, pid) = (port(shop, "PORT"), shop.pid().unwrap());
    let ask = async || {
        let mut stream = connect(port).await;
        stream.write_all(b"GET /products/1 HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        assert!(read_answer(&mut stream).await.starts_with("http/1.1 200 "));
        stream
    };
    let first = join_all((0..100).map(|_| ask())).await;
    let before = memory(pid);

    let mut idle = Vec::new();
    while idle.len() < clients {
        idle.extend(join_all((0..100).map(|_| ask())).await);
    }

    let each = memory(pid).saturating_sub(before) / idle.len();
    println!("{} idle clients, {each} bytes each", idle.len() + first.len());
    assert!(each <= IDLE_BYTES_MAX, "{each} bytes for each idle client");
    assert_eq!(world.get("/products/1").await.status, 200);
}

#[tokio::test]
async fn clients_that_read_slowly_cost_little_memory() {
    let world = World::builder().workers(0).start().await;
    let shop = world.order_management(0);
    let (port, pid) = (port(shop, "PORT"), shop.pid().unwrap());
    let ask = format!("GET {BUNDLE} HTTP/1.1\r\nHost: localhost\r\n\r\n").repeat(2);
    let answered = async || {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await?;
        stream.write_all(ask.as_bytes()).await?;
        stream.read_exact(&mut [0; 1000]).await?;
        std::io::Result::Ok(stream)
    };
    // A process that is starved on a busy machine may close a connection before it answers.
    let slow = async || eventually("a slow reader to be answered", LONG, answered).await;

    drop(slow().await);
    let before = memory(pid);

    let readers = join_all((0..SLOW).map(|_| slow())).await;

    assert_eq!(world.get("/products/1").await.status, 200);
    let grown = memory(pid).saturating_sub(before);
    println!("{} slow readers: {grown} bytes", readers.len());
    assert!(grown <= SLOW_BYTES_MAX, "{grown} bytes for {SLOW} slow readers");
}
