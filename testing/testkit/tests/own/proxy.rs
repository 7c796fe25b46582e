//! The proxy passes, cuts, swallows and delays.

use std::time::{Duration, Instant};

use testkit::eventually;
use testkit::fault_proxy::FaultProxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);
const NOT_PASSED: Duration = Duration::from_millis(200);

/// A server that echoes all input, as long as the returned set lives.
async fn echo() -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut sessions = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            sessions.spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await.ok();
            });
        }
    });
    (port, tasks)
}

async fn round_trip(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(text).await?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// A round trip on a connection of its own. A proxy that resets may do so before the client has seen
/// that it is connected, so connecting is part of what can fail.
async fn new_round_trip(proxy: &FaultProxy, text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).await?;
    round_trip(&mut stream, text).await
}

async fn connected() -> (FaultProxy, TcpStream, JoinSet<()>) {
    let (port, server) = echo().await;
    let proxy = FaultProxy::start(port).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
    assert_eq!(round_trip(&mut stream, b"hello").await.unwrap(), b"hello");
    (proxy, stream, server)
}

#[tokio::test]
async fn a_cut_resets_what_is_open_and_what_comes_until_it_is_healed() {
    let (proxy, mut stream, _server) = connected().await;

    proxy.cut();
    let lost = timeout(SOON, stream.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(lost.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(new_round_trip(&proxy, b"hello").await.is_err());

    proxy.heal();
    assert_eq!(new_round_trip(&proxy, b"hello").await.unwrap(), b"hello");
}

#[tokio::test]
async fn a_cut_that_is_healed_at_once_still_resets() {
    let (proxy, mut stream, _server) = connected().await;

    proxy.cut();
    proxy.heal();

    assert!(timeout(SOON, stream.read_u8()).await.unwrap().is_err());
}

#[tokio::test]
async fn a_black_hole_keeps_connections_and_gives_back_what_it_held() {
    let (proxy, mut stream, _server) = connected().await;

    proxy.black_hole();
    stream.write_all(b"late").await.unwrap();
    let mut answer = [0; 4];
    assert!(timeout(NOT_PASSED, stream.read_exact(&mut answer)).await.is_err());

    proxy.heal();
    timeout(SOON, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"late");
}

#[tokio::test]
async fn a_delay_counts_each_way() {
    let (proxy, mut stream, _server) = connected().await;

    proxy.delay(Duration::from_millis(100));
    let started = Instant::now();
    round_trip(&mut stream, b"slow").await.unwrap();

    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_target_that_is_not_there_yet_resets_and_a_later_one_is_reached() {
    let port = testkit::ports::free().unwrap();
    let proxy = FaultProxy::start(port).unwrap();
    assert!(new_round_trip(&proxy, b"early").await.is_err());

    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    eventually("the late target to be reached", SOON, async || {
        let connecting = TcpStream::connect(("127.0.0.1", proxy.port()));
        let (accepted, _stream) = tokio::join!(listener.accept(), connecting);
        accepted
    })
    .await;
}
